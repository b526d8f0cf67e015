import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Not a measure of speed: what is still waiting then hangs, on a busy machine too.
    testTimeout: 90_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/support/closing-line.ts'],
    // Real programs on a shared machine are at times slower than a deadline; what passes only when tried again is shown as such.
    retry: process.env['CI'] === undefined ? 0 : 2,
    pool: 'forks',
  },
});
