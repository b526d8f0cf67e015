/** The look of the pages csx writes: one stylesheet, light and dark by the reader's setting, fit for print. */

export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #fff; --panel: #f6f8fa; --line: #d1d9e0;
  --create: #116329; --update: #7d4e00; --delete: #b31d28; --conflict: #8250df; --unknown: #0a5d75; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --paper: #0d1117; --panel: #151b23;
  --line: #3d444d; --create: #56d364; --update: #e3b341; --delete: #ff7b72; --conflict: #d2a8ff; --unknown: #76e3ea; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
code, .file { font-family: ui-monospace, monospace; font-size: .9em; }
.summary { font-weight: 600; padding: .75rem 1rem; background: var(--panel); border-left: 4px solid var(--unknown); }
.summary.blocked { border-color: var(--delete); }
.soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.mark { font-family: ui-monospace, monospace; font-weight: 700; white-space: nowrap; width: 2.5rem; }
.create { color: var(--create); } .update { color: var(--update); } .delete, .replace, .fail { color: var(--delete); }
.conflict { color: var(--conflict); } .unknown, .warn { color: var(--unknown); } .equal, .pass { color: var(--soft); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .75rem 0; padding: 0 1rem; content-visibility: auto;
  contain-intrinsic-size: auto 12rem; }
summary { cursor: pointer; padding: .6rem 0; font-weight: 600; }
@media print { body { max-width: none; padding: 0; } details { content-visibility: visible; } }
@media (max-width: 40rem) { body { padding: .75rem; } th, td { padding: .3rem; } }
`;
