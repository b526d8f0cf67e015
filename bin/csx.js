// The entry of `csx`; bin/csx starts it on the right runtime.
import './compile-cache.cjs';

// bin/csx has looked at the runtime's version: oclif need not load a parser of versions for it.
process.env.OCLIF_DISABLE_ENGINE_WARNING = '1';
const { main } = await import('../dist/cli/main.js');
delete process.env.OCLIF_DISABLE_ENGINE_WARNING;

process.exitCode = await main(process.argv.slice(2));
