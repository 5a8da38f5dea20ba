/** Finding the server, or making a virtual environment for it. */

import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';

import * as vscode from 'vscode';

import { words } from './connection';
import { type Machine, server } from './locate';
import { fail, inform, warn } from './messages';
import { candidates, choose, install, OLDEST, type Verdict } from './python';
import { plain } from './words';

const HELP = 'https://www.python.org/downloads/';

export class Installation {
  /** The virtual environment that the extension makes. */
  private readonly own: string;
  /** The wheels that an extension for one platform carries; the other one has none. */
  private readonly wheels: string | undefined;
  private offered = false;
  private underWay: Promise<boolean> | undefined;

  constructor(
    context: vscode.ExtensionContext,
    private readonly output: vscode.LogOutputChannel,
  ) {
    this.own = path.join(context.globalStorageUri.fsPath, 'server');
    const wheels = context.asAbsolutePath(path.join('dist', 'wheels'));
    this.wheels = existsSync(wheels) ? wheels : undefined;
  }

  /** Give the server's program. Where there is none, say so once and give undefined. */
  async find(): Promise<string | undefined> {
    const found = server(setting('server.path'), this.own, machine());
    if ('program' in found) {
      this.offered = false;
      return found.program;
    }
    if (!this.offered) {
      this.offered = true;
      void this.offer(found.missing);
    }
    return undefined;
  }

  /** Say again where there is no server, once somebody asks for it. */
  tellAgain(): void {
    this.offered = false;
  }

  /** Install the server, or its newest version; tell whether that went well. */
  install(): Promise<boolean> {
    this.underWay ??= this.begin().finally(() => (this.underWay = undefined));
    return this.underWay;
  }

  private async begin(): Promise<boolean> {
    const { good, refused } = await choose(candidates(machine(), await interpreter()));
    if (!good) {
      await this.explain(refused);
      return false;
    }
    const requirement = setting('server.requirement');
    this.output.info(`Installing ${requirement} with ${good.interpreter[0]} ${good.version}`);
    const shown = {
      location: vscode.ProgressLocation.Notification,
      title: plain(`Twotrack: installing ${requirement}`),
      cancellable: true,
    };
    return vscode.window.withProgress(shown, (progress, token) =>
      this.carryOut(good, requirement, progress, token),
    );
  }

  private async carryOut(
    { interpreter: python }: Verdict,
    requirement: string,
    progress: vscode.Progress<{ message: string }>,
    token: vscode.CancellationToken,
  ): Promise<boolean> {
    const cancel = new AbortController();
    token.onCancellationRequested(() => cancel.abort());
    const tell = (line: string) => {
      this.output.info(line);
      progress.report({ message: plain(line.length > 80 ? `${line.slice(0, 79)}…` : line) });
    };
    try {
      const source = { requirement, wheels: this.wheels };
      await install(python, this.own, source, process.platform, tell, cancel.signal);
      return true;
    } catch (error) {
      if (!token.isCancellationRequested) {
        void this.showError(`Twotrack: the server was not installed. ${words(error)}`);
      }
      return false;
    }
  }

  private async offer(missing: string): Promise<void> {
    const [make, settings] = ['Install', 'Open Settings'];
    const said = missing
      ? `Twotrack: the setting twotrack.server.path names ${missing}, which cannot be run.`
      : "Twotrack's server was not found. It can be installed for this extension alone, with your Python.";
    const chosen = await (missing ? warn(said, settings) : inform(said, make, settings));
    if (chosen === make) {
      await vscode.commands.executeCommand('twotrack.installServer');
    } else if (chosen === settings) {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'twotrack.server');
    }
  }

  /** Say what to do where no Python serves. */
  private async explain(refused: readonly Verdict[]): Promise<void> {
    const get = 'Get Python';
    const tried = refused.map(({ interpreter: [command], version, problem }) =>
      plain(`${command} (${version}): ${problem}.`),
    );
    const detail = [
      `Twotrack's server runs on Python ${OLDEST.join('.')} or newer.`,
      tried.length ? `Found here:\n${tried.join('\n')}` : 'No Python was found on the PATH.',
      "Install a newer Python and choose Install again; or run `uv tool install 'twotrack[local]'`, which brings its own, and then `Twotrack: Restart the Server`.",
    ].join('\n\n');
    const chosen = await vscode.window.showErrorMessage(
      'Twotrack: no Python that can run the server.',
      { modal: true, detail },
      get,
    );
    if (chosen === get) {
      await vscode.env.openExternal(vscode.Uri.parse(HELP));
    }
  }

  private async showError(said: string): Promise<void> {
    const show = 'Show Output';
    if ((await fail(said, show)) === show) {
      this.output.show();
    }
  }
}

function setting(key: string): string {
  return vscode.workspace.getConfiguration('twotrack').get<string>(key, '').trim();
}

function machine(): Machine {
  return { platform: process.platform, env: process.env, home: homedir(), runs };
}

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

interface PythonExtension {
  environments: {
    getActiveEnvironmentPath(): { path: string };
    resolveEnvironment(path: { path: string }): Promise<PythonEnvironment | undefined>;
  };
}

interface PythonEnvironment {
  executable: { uri?: vscode.Uri };
}

/** The Python extension's interpreter. It may be a file of the workspace: only where trusted. */
async function interpreter(): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>('ms-python.python');
  if (!extension || !vscode.workspace.isTrusted) {
    return undefined;
  }
  try {
    const { environments } = await extension.activate();
    const found = await environments.resolveEnvironment(environments.getActiveEnvironmentPath());
    return found?.executable.uri?.fsPath;
  } catch {
    return undefined; // another version of that extension; there are other ways to a Python
  }
}
