/** The proposed text beside the present one, for the person to decide. */

import * as path from 'node:path';

import * as vscode from 'vscode';

import { after, type Change } from './edits';

const SCHEME = 'twotrack-proposal';

export class Preview implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private number = 0;
  private shown: { number: number; decide: (apply: boolean) => void } | undefined;
  private readonly subscriptions: vscode.Disposable[];

  constructor() {
    this.subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.commands.registerCommand('twotrack.applyProposal', () => this.shown?.decide(true)),
      vscode.commands.registerCommand('twotrack.discardProposal', () => this.shown?.decide(false)),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        const shown = this.shown;
        if (shown && closed.some((tab) => isPart(tab, shown.number))) {
          shown.decide(false);
        }
      }),
    ];
  }

  /** Show what would change, and wait for the decision; closing the diff, or another, discards it. */
  async accepted(title: string, changes: readonly Change[]): Promise<boolean> {
    this.shown?.decide(false);
    const number = ++this.number;
    const decision = new Promise<boolean>((decide) => (this.shown = { number, decide }));
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
    if (this.shown?.number === number) {
      this.shown = undefined;
    }
    await this.close(number);
    return apply;
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  dispose(): void {
    this.shown?.decide(false);
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** The path stays the file's own: the language goes by it. */
  private keep(uri: vscode.Uri, query: string, text: string): vscode.Uri {
    const key = uri.with({ scheme: SCHEME, query, authority: '', fragment: '' });
    this.texts.set(key.toString(), text);
    return key;
  }

  private async close(number: number): Promise<void> {
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    await vscode.window.tabGroups.close(tabs.filter((tab) => isPart(tab, number)));
    for (const key of [...this.texts.keys()]) {
      if (numberOf(vscode.Uri.parse(key)) === number) {
        this.texts.delete(key);
      }
    }
  }
}

/** Whether a tab shows a part of the preview with this number. */
function isPart({ input }: vscode.Tab, number: number): boolean {
  return (
    input instanceof vscode.TabInputTextDiff &&
    input.modified.scheme === SCHEME &&
    numberOf(input.modified) === number
  );
}

function numberOf({ query }: vscode.Uri): number {
  return Number(query.split(' ').at(-1));
}
