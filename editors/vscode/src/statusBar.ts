/** The item in the status bar, and the menu behind it. */

import * as vscode from 'vscode';

import type { CodeAction } from './actions';
import type { Connection } from './connection';
import { affected, served, wanted } from './languages';
import { face } from './words';

type Entry = vscode.QuickPickItem & { command?: string };

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    'twotrack.status',
    vscode.StatusBarAlignment.Right,
    100,
  );
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly connection: Connection,
    private readonly actions: readonly CodeAction[],
  ) {
    this.item.name = 'Twotrack';
    const draw = () => this.draw();
    this.subscriptions = [
      connection.onDidChange(draw),
      vscode.window.onDidChangeActiveTextEditor(draw),
      vscode.workspace.onDidOpenTextDocument(draw), // also where a document's language changed
      vscode.workspace.onDidChangeConfiguration((event) => affected(event) && draw()),
    ];
    this.draw();
    this.item.show();
  }

  /** Let the person choose a command. */
  async menu(): Promise<void> {
    const chosen = await vscode.window.showQuickPick(this.entries(), {
      title: 'Twotrack',
      placeHolder: 'What is to be done?',
    });
    if (chosen?.command) {
      await vscode.commands.executeCommand(chosen.command);
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
    this.item.dispose();
  }

  private draw(): void {
    const { text, tooltip, warning, mends } = face(
      this.connection.state,
      this.connection.status,
      off(),
    );
    this.item.text = text;
    this.item.command = mends ? 'twotrack.addModel' : 'twotrack.menu';
    this.item.tooltip = new vscode.MarkdownString(tooltip);
    this.item.tooltip.isTrusted = { enabledCommands: ['twotrack.addModel', 'twotrack.setKey'] };
    this.item.accessibilityInformation = {
      label: `Twotrack: ${text.replace(/\$\([^)]*\) ?/g, '')}`,
    };
    this.item.backgroundColor = warning
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
  }

  private entries(): Entry[] {
    const group = (label: string): Entry => ({ label, kind: vscode.QuickPickItemKind.Separator });
    const tail: Entry[] = [
      group('Server'),
      { label: '$(debug-restart) Restart the Server', command: 'twotrack.restart' },
      { label: '$(output) Show Output', command: 'twotrack.showOutput' },
      { label: '$(pulse) Run the Doctor', command: 'twotrack.doctor' },
      { label: '$(add) Add a Model', command: 'twotrack.addModel' },
      { label: '$(key) Set API Key', command: 'twotrack.setKey' },
      { label: '$(gear) Open Settings', command: 'twotrack.openSettings' },
    ];
    if (['missing', 'stopped'].includes(this.connection.state)) {
      return [
        { label: '$(cloud-download) Install the Server', command: 'twotrack.installServer' },
        ...tail,
      ];
    }
    const paused = this.connection.status?.paused;
    return [
      {
        label: paused ? '$(debug-start) Resume' : '$(debug-pause) Pause',
        description: paused ? '' : 'no completions until you resume',
        command: 'twotrack.toggle',
      },
      ...(paused
        ? []
        : [
            {
              label: '$(bell-slash) Snooze',
              description: 'for a time, in a language or some files',
              command: 'twotrack.snooze',
            },
          ]),
      ...language(),
      { label: '$(arrow-swap) Switch Model', command: 'twotrack.useModel' },
      group('Code'),
      ...this.actions.map(({ icon, title, command }) => ({ label: `${icon} ${title}`, command })),
      group('What it does'),
      { label: '$(eye) Show What Was Sent', command: 'twotrack.showSent' },
      { label: '$(graph) Open the Ledger', command: 'twotrack.openLedger' },
      ...tail,
    ];
  }
}

/** The language of the open document, where completions are off for it. */
function off(): string {
  const document = served();
  return document && !wanted(document) ? document.languageId : '';
}

function language(): Entry[] {
  const document = served();
  const label = off() ? '$(circle-filled) Turn On' : '$(circle-slash) Turn Off';
  return document
    ? [{ label: `${label} for ${document.languageId}`, command: 'twotrack.toggleLanguage' }]
    : [];
}
