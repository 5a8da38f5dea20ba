/** What went wrong, as a message: the reason, a button for what mends it, and one for the details. */

import * as vscode from 'vscode';

import type { ModelInfo, Notice, Remedy } from './protocol';
import { plain } from './words';

/** Show a message of one line, in which no name of a file or model makes a link or hides words. */
export const inform = showing(vscode.window.showInformationMessage);
export const warn = showing(vscode.window.showWarningMessage);
export const fail = showing(vscode.window.showErrorMessage);

interface Button {
  title: string;
  command: string;
}

/** What mends a failure of the server, or of the extension itself. */
type Mending = Remedy | 'install';

/** A notice, as it is shown. */
export type Shown = Omit<Notice, 'remedy'> & { remedy: Mending | null };

const OUTPUT: Button = { title: 'Show Output', command: 'twotrack.showOutput' };
const START: Button = { title: 'Start Ollama', command: 'twotrack.startOllama' };
const SWITCH: Button = { title: 'Switch Model', command: 'twotrack.useModel' };
const REMEDIES: Record<Mending, Button> = {
  key: { title: 'Set API Key', command: 'twotrack.setKey' },
  model: SWITCH,
  start: SWITCH,
  add: { title: 'Add a Model', command: 'twotrack.addModel' },
  settings: { title: 'Open Settings', command: 'twotrack.openSettings' },
  install: { title: 'Install the Server', command: 'twotrack.installServer' },
};

/** A failure of the extension's own, with what mends it. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly remedy: Mending,
  ) {
    super(message);
  }
}

export class Messages {
  /** The reasons that are on the screen: a model's failure is told, and so is that of the command. */
  private readonly open = new Set<string>();

  constructor(private readonly output: vscode.LogOutputChannel) {}

  /** Show a notice, once; its details go to the output. */
  async show(notice: Shown, models: readonly ModelInfo[]): Promise<void> {
    this.output.warn(notice.message);
    if (this.open.has(notice.reason)) {
      return;
    }
    this.open.add(notice.reason);
    const mending = remedy(notice, models);
    const buttons = [...(mending ? [mending] : []), OUTPUT];
    const chosen = await (notice.type === 1 ? fail : warn)(notice.reason, ...buttons);
    this.open.delete(notice.reason);
    if (chosen) {
      await vscode.commands.executeCommand(chosen.command);
    }
  }
}

function remedy(notice: Shown, models: readonly ModelInfo[]): Button | undefined {
  const model = models.find(({ name }) => name === notice.model);
  if (notice.remedy === 'start' && model?.provider === 'ollama' && model.local) {
    return START;
  }
  return notice.remedy ? REMEDIES[notice.remedy] : undefined;
}

type Show = <Item extends string | vscode.MessageItem>(
  message: string,
  ...items: Item[]
) => Thenable<Item | undefined>;

function showing(show: unknown): Show {
  return (message, ...items) => (show as Show)(plain(message), ...items);
}
