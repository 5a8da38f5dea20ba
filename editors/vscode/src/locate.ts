/** Where the server's program may lie. Knows nothing of VS Code. */

import * as path from 'node:path';

/** The machine, as far as the search depends on it. */
export interface Machine {
  platform: NodeJS.Platform;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  /** Whether a path names a file that can be run. */
  runs(file: string): boolean;
}

/** Where pip puts the programs of a virtual environment. */
export function program(venv: string, name: string, platform: NodeJS.Platform): string {
  const { join } = paths(platform);
  return platform === 'win32' ? join(venv, 'Scripts', `${name}.exe`) : join(venv, 'bin', name);
}

/** A path as people write it in the settings: `~` is the home directory. */
export function expanded(written: string, machine: Machine): string {
  const trimmed = written.trim();
  return /^~(?=$|[\\/])/.test(trimmed) ? machine.home + trimmed.slice(1) : trimmed;
}

/**
 * Find the program `name` on the PATH. Entries that are not absolute are passed over: they would
 * be looked for in the folder that happens to be open.
 */
export function onPath(name: string, machine: Machine): string | undefined {
  const { delimiter, isAbsolute, join } = paths(machine.platform);
  // Windows spells the variable "Path"; a copy of process.env has lost its blindness to case.
  const variable = Object.keys(machine.env).find((key) => key.toUpperCase() === 'PATH');
  const file = machine.platform === 'win32' ? `${name}.exe` : name;
  return ((variable && machine.env[variable]) || '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, file))
    .find((candidate) => machine.runs(candidate));
}

/** Find the server among the tools of uv and pipx, whose folder need not be on the PATH. */
export function amongTools(machine: Machine): string | undefined {
  const { join } = paths(machine.platform);
  const { env, home, platform } = machine;
  const data = env['XDG_DATA_HOME'] || join(home, '.local', 'share');
  const uv =
    env['UV_TOOL_DIR'] ||
    (platform === 'win32' && env['APPDATA']
      ? join(env['APPDATA'], 'uv', 'tools')
      : join(data, 'uv', 'tools'));
  const pipx = [
    env['PIPX_HOME'],
    join(data, 'pipx'),
    join(home, '.local', 'pipx'),
    join(home, 'pipx'),
    join(home, 'Library', 'Application Support', 'pipx'),
    env['LOCALAPPDATA'] && join(env['LOCALAPPDATA'], 'pipx', 'pipx'),
  ];
  return [uv, ...pipx.map((folder) => folder && join(folder, 'venvs'))]
    .filter((folder): folder is string => !!folder)
    .map((folder) => program(join(folder, 'twotrack'), 'twotrack', platform))
    .find((candidate) => machine.runs(candidate));
}

export type Found = { program: string } | { missing: string };

/**
 * Find the server: what the settings name, else on the PATH, among the tools of uv and pipx, in
 * `own`, the virtual environment that the extension made.
 */
export function server(setting: string, own: string, machine: Machine): Found {
  const written = expanded(setting, machine);
  if (written) {
    const { isAbsolute } = paths(machine.platform);
    const bare = !/[\\/]/.test(written);
    const named = bare
      ? onPath(written, machine)
      : isAbsolute(written) && machine.runs(written)
        ? written
        : undefined;
    return named ? { program: named } : { missing: written };
  }
  const venv = program(own, 'twotrack', machine.platform);
  const found =
    onPath('twotrack', machine) ?? amongTools(machine) ?? (machine.runs(venv) ? venv : undefined);
  return found ? { program: found } : { missing: '' };
}

function paths(platform: NodeJS.Platform): path.PlatformPath {
  return platform === 'win32' ? path.win32 : path.posix;
}
