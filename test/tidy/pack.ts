// The package as users get it: dist/ emitted, packed by npm, installed into an empty folder.
// End-to-end tests, CLI transcripts and the demo run this and not the sources, because the compiler leaves worker
// entries, SQL and WebAssembly behind. Both steps are cached below .cache by the hash of what goes in.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export type InstalledPackage = {
  /** The folder that npm installed into. */
  readonly root: string;
  /** Absolute paths of the two programs. */
  readonly bb: string;
  readonly bbd: string;
};

type Manifest = { name: string; version: string; optionalDependencies?: Record<string, string> } & Record<
  string,
  unknown
>;

const root = join(import.meta.dirname, '../..');
const cache = join(root, '.cache');
const KEPT_MS = 2 * 3_600_000;
const INPUTS = [
  'src/**',
  'cli/**',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'Makefile',
  'test/tidy/pack.ts',
];

function run(command: string, args: readonly string[], cwd: string): string {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${done.stdout}${done.stderr}${done.error ?? ''}`);
  return done.stdout;
}

/** One name for the state of everything that ends up in the package. */
function inputHash(): string {
  const hash = createHash('sha256');
  const entries = globSync(INPUTS, { cwd: root, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of entries.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(`${path.slice(root.length)}\0`).update(createHash('sha256').update(readFileSync(path)).digest());
  }
  return hash.digest('hex').slice(0, 16);
}

/** The manifest that ships: without what only a checkout needs (its own Node, the build tools). */
export function shippedManifest(manifest: Manifest): Manifest {
  const { devDependencies: _tools, scripts: _scripts, optionalDependencies = {}, ...rest } = manifest;
  const kept = Object.fromEntries(
    Object.entries(optionalDependencies).filter(([name]) => !name.startsWith('node-linux-')),
  );
  return Object.keys(kept).length === 0 ? rest : { ...rest, optionalDependencies: kept };
}

/** Removes what nobody has used for a while: each state of the sources leaves about 50 MB. */
function prune(): void {
  for (const entry of readdirSync(cache)) {
    const dir = join(cache, entry);
    if (/^(pack|installed|making)-/.test(entry) && statSync(dir).mtimeMs < Date.now() - KEPT_MS) {
      rmSync(dir, { recursive: true, force: true });
    }
  }
}

/** Builds into a folder that appears at `target` only when it is complete; two builders end with one result. */
function once(target: string, build: (dir: string) => void): void {
  if (existsSync(target)) return;
  mkdirSync(cache, { recursive: true });
  prune();
  const dir = mkdtempSync(join(cache, 'making-'));
  try {
    build(dir);
    renameSync(dir, target);
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
}

/** Emits, packs and returns the path of the tarball. */
export function packPackage(): string {
  const manifest = shippedManifest(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const packed = join(cache, `pack-${inputHash()}`);
  once(packed, (dir) => {
    run('make', ['build', `DIST=${join(dir, 'dist')}`], root);
    for (const name of ['README.md', 'LICENSE'])
      if (existsSync(join(root, name))) cpSync(join(root, name), join(dir, name));
    writeFileSync(join(dir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    run('npm', ['pack', '--ignore-scripts', '--loglevel=error'], dir);
  });
  return join(packed, `${manifest.name}-${manifest.version}.tgz`);
}

/** Installs the tarball into an empty folder with npm (no network needed after make setup); seconds once, then cached. */
export function installPackage(): InstalledPackage {
  const tarball = packPackage();
  const installed = join(cache, `installed-${inputHash()}`);
  once(installed, (dir) => {
    writeFileSync(join(dir, 'package.json'), '{"private":true}\n');
    run(
      'npm',
      ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', tarball],
      dir,
    );
  });
  return {
    root: installed,
    bb: join(installed, 'node_modules/.bin/bb'),
    bbd: join(installed, 'node_modules/.bin/bbd'),
  };
}

if (import.meta.main) console.log(packPackage());
