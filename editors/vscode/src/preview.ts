/** The proposed text beside the present one, for the person to decide. */

import * as path from 'node:path';

import * as vscode from 'vscode';

import { after, type Change } from './edits';

const SCHEME = 'twotrack-proposal';

export class Preview implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private number = 0;
  private decide: ((apply: boolean) => void) | undefined;
  private readonly subscriptions: vscode.Disposable[];

  constructor() {
    this.subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.commands.registerCommand('twotrack.applyProposal', () => this.decide?.(true)),
      vscode.commands.registerCommand('twotrack.discardProposal', () => this.decide?.(false)),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        if (closed.some(isOurs)) {
          this.decide?.(false);
        }
      }),
    ];
  }

  /** Show what would change, and wait for the decision; closing the diff discards it. */
  async accepted(title: string, changes: readonly Change[]): Promise<boolean> {
    this.decide?.(false);
    const decision = new Promise<boolean>((resolve) => (this.decide = resolve));
    const number = ++this.number;
    for (const change of changes) {
      const { uri, document } = change;
      const proposed = this.keep(uri, `proposed ${number}`, after(change));
      const present = document ? uri : this.keep(uri, `empty ${number}`, '');
      const name = path.basename(uri.path);
      await vscode.commands.executeCommand('vscode.diff', present, proposed, `${name}: ${title}`, {
        preview: false,
      });
    }
    const apply = await decision;
    this.decide = undefined;
    await this.close();
    return apply;
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  dispose(): void {
    this.decide?.(false);
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** The path stays the file's own: the language goes by it. */
  private keep(uri: vscode.Uri, query: string, text: string): vscode.Uri {
    const key = uri.with({ scheme: SCHEME, query, authority: '', fragment: '' });
    this.texts.set(key.toString(), text);
    return key;
  }

  private async close(): Promise<void> {
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(isOurs);
    await vscode.window.tabGroups.close(tabs);
    this.texts.clear();
  }
}

function isOurs({ input }: vscode.Tab): boolean {
  return input instanceof vscode.TabInputTextDiff && input.modified.scheme === SCHEME;
}
