/** The entry point: composes the parts and registers the commands. */

import { homedir } from 'node:os';
import * as vscode from 'vscode';

import { codeActions } from './actions';
import { CodeCommands } from './commands';
import { Connection } from './connection';
import { Documents } from './documents';
import { Installation } from './installation';
import { Keys } from './keys';
import { served as document, toggle } from './languages';
import { inform } from './messages';
import { addModel } from './models';
import { Preview } from './preview';
import type { UseModelParams } from './protocol';
import { snooze } from './snooze';
import { StatusBar } from './statusBar';

let connection: Connection | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const output = vscode.window.createOutputChannel('Twotrack', { log: true });
  const keys = new Keys(context);
  const installation = new Installation(context, output);
  const documents = new Documents();
  const served = new Connection(
    () => installation.find(),
    keys,
    documents,
    output,
    context.extension,
  );
  connection = served;
  const preview = new Preview(
    (run) => guarded(run, served),
    async () => documents.showPage(await served.sent()),
  );
  const actions = codeActions(context.extension);
  const status = new StatusBar(served, actions);
  const code = new CodeCommands(served, preview, documents, output);

  const commands: Record<string, () => unknown> = {
    'twotrack.menu': () => status.menu(),
    'twotrack.toggle': () => served.pause({ paused: !served.status?.paused }),
    'twotrack.snooze': () => snooze(served),
    'twotrack.toggleLanguage': () => toggleLanguage(),
    'twotrack.useModel': () => chooseModel(served),
    'twotrack.showSent': async () => documents.showPage(await served.sent()),
    'twotrack.openLedger': () => openLedger(served, documents),
    'twotrack.doctor': () => doctor(installation, keys),
    'twotrack.restart': () => {
      installation.tellAgain();
      return served.restart();
    },
    'twotrack.showOutput': () => output.show(),
    'twotrack.openSettings': () =>
      vscode.commands.executeCommand('workbench.action.openSettings', '@ext:twotrack.twotrack'),
    'twotrack.addModel': () => addModel(keys),
    'twotrack.startOllama': () => startOllama(),
    'twotrack.setKey': () => keys.set(),
    'twotrack.removeKey': () => keys.remove(),
    'twotrack.installServer': async () => (await installation.install()) && served.restart(),
  };
  for (const { command, task } of actions) {
    commands[command] = () => code.run(task);
  }

  context.subscriptions.push(
    output,
    keys,
    documents,
    preview,
    status,
    ...Object.entries(commands).map(([id, run]) =>
      vscode.commands.registerCommand(id, () => guarded(run, served)),
    ),
    keys.onDidChange(() => void served.restart()),
    output.onDidChangeLogLevel(() => void served.settingsChanged()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('twotrack.server.path')) {
        void served.restart();
      } else if (event.affectsConfiguration('twotrack')) {
        void served.settingsChanged();
      }
    }),
  );
  served.startAtRest();
}

export function deactivate(): Promise<void> | undefined {
  return connection?.dispose();
}

/** Run a command; what goes wrong is told. */
async function guarded(run: () => unknown, served: Connection): Promise<void> {
  try {
    await run();
  } catch (error) {
    served.tell(error);
  }
}

async function toggleLanguage(): Promise<void> {
  const open = document();
  if (open) {
    await toggle(open);
  } else {
    void vscode.window.showInformationMessage('Twotrack: open a file of that language first.');
  }
}

async function chooseModel(served: Connection): Promise<void> {
  const status = await served.freshStatus();
  const tracks: (vscode.QuickPickItem & { track: UseModelParams['track'] })[] = [
    { label: 'fast', description: 'while you type', track: 'fast' },
    { label: 'strong', description: 'when you ask', track: 'strong' },
  ];
  const track = await vscode.window.showQuickPick(tracks, { title: 'Twotrack: for which track?' });
  if (!track) {
    return;
  }
  const automatic = { label: 'As the settings say', description: '', detail: '' };
  const models = status.models.map(({ name, provider, model, problem }) => ({
    label: name,
    description: `${provider} ${model}`.trim(),
    detail: problem ?? '',
  }));
  const chosen = await vscode.window.showQuickPick([automatic, ...models], {
    title: `Twotrack: model of the ${track.label} track until the window is closed`,
  });
  if (chosen) {
    await served.useModel(track.track, chosen === automatic ? null : chosen.label);
  }
}

async function openLedger(served: Connection, documents: Documents): Promise<void> {
  await documents.showPage(await served.ledger());
  const status = await served.freshStatus();
  const reveal = 'Reveal the File';
  const here = vscode.env.uiKind === vscode.UIKind.Desktop && !vscode.env.remoteName;
  if (here && (await inform(status.ledger, reveal)) === reveal) {
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(status.ledger));
  }
}

/**
 * Start Ollama as a task, which goes on until its terminal is closed.
 *
 * At home: where the PATH has none, VS Code takes a program of that name from the task's folder.
 */
async function startOllama(): Promise<void> {
  const home = { cwd: homedir() };
  await runTask('ollama', new vscode.ProcessExecution('ollama', ['serve'], home));
}

/** Run `twotrack doctor` as a task: no shell, and its output stays to be read. */
async function doctor(installation: Installation, keys: Keys): Promise<void> {
  installation.tellAgain();
  const program = await installation.find();
  if (!program) {
    return;
  }
  const folder = vscode.workspace.workspaceFolders?.[0];
  const execution = new vscode.ProcessExecution(program, ['doctor'], {
    env: await keys.environment(),
    ...(folder && { cwd: folder.uri.fsPath }),
  });
  await runTask('doctor', execution);
}

async function runTask(name: string, execution: vscode.ProcessExecution): Promise<void> {
  const scope = vscode.workspace.workspaceFolders?.[0] ?? vscode.TaskScope.Global;
  const task = new vscode.Task({ type: 'process' }, scope, name, 'twotrack', execution);
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
  await vscode.tasks.executeTask(task);
}
