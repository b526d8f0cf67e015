// Loaded into a process with --import: its clock moves by `?step=` milliseconds at every look, from a day ahead on.
let time = Date.now() + 86_400_000;
const step = Number(new URL(import.meta.url).searchParams.get('step'));
const Real = Date;
function tick() {
  time += step;
  return time;
}
globalThis.Date = class Date extends Real {
  constructor(...args) {
    if (args.length === 0) super(tick());
    else super(...args);
  }
  static now() {
    return tick();
  }
};
