/** Makes configurations for tests: a temporary system directory with a csync2.cfg and its key. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/model/config.js';

export const KEY_TEXT = 'test.key_0123456789abcdefghijklmnopqrstuvwxyz';

export class SystemDirectory {
  readonly path = mkdtempSync(path.join(os.tmpdir(), 'csx-config-'));

  constructor() {
    this.write('k', `${KEY_TEXT}\n`);
    mkdirSync(path.join(this.path, 'db'));
  }

  /** Writes a file (byte string) with mode 0600 and says where. */
  write(name: string, text: string): string {
    const file = path.join(this.path, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { encoding: 'latin1', mode: 0o600 });
    return file;
  }

  /** Loads `text` as csync2.cfg (or another file). */
  load(text: string, host = '127.20.0.1', name = 'csync2.cfg'): Promise<Config> {
    this.write(name, text);
    return loadConfig({ systemDirectory: this.path, host });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
