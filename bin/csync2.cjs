// The entry of `csync2`; bin/csync2 starts it on the right runtime. CommonJS, which starts faster.
'use strict';
require('./compile-cache.cjs');

const { main } = require('../dist/csync2/main.cjs');

main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
