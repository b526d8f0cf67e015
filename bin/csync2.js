// The entry of `csync2`; bin/csync2 starts it on the right runtime.
import './compile-cache.js';

const { main } = await import('../dist/dropin/main.js');

process.exitCode = await main(process.argv.slice(2));
