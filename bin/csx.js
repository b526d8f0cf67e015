// The entry of `csx`; bin/csx starts it on the right runtime.
import { main } from '../dist/cli/main.js';

process.exitCode = await main(process.argv.slice(2));
