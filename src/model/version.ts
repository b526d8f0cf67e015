/** csx's own version: that of package.json (a test compares them), at hand without a file to read. */

export const CSX_VERSION = '0.1.0';
