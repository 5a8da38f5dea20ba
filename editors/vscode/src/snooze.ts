/** "Snooze": pauses completions for a time, all of them or those of the open file. */

import * as vscode from 'vscode';

import type { Connection } from './connection';
import { served as open } from './languages';
import type { PauseParams } from './protocol';

type Time = vscode.QuickPickItem & { minutes: number | null };
type What = vscode.QuickPickItem & { params: Partial<PauseParams> };

const TIMES: readonly Time[] = [
  { label: 'For 5 minutes', minutes: 5 },
  { label: 'For 15 minutes', minutes: 15 },
  { label: 'For an hour', minutes: 60 },
  { label: 'Until I resume', minutes: null },
];

/** Ask what is paused for how long; nothing is where the person stops. */
export async function snooze(connection: Connection): Promise<void> {
  const time = await vscode.window.showQuickPick(TIMES, { title: 'Twotrack: pause completions' });
  const what = time && (await chooseWhat());
  if (time && what) {
    await connection.pause({ paused: true, minutes: time.minutes, ...what.params });
  }
}

async function chooseWhat(): Promise<What | undefined> {
  const everything: What = { label: 'In all files', params: {} };
  const document = open();
  if (!document) {
    return everything;
  }
  const ending = /\.[^./\\]+$/.exec(document.uri.path)?.[0];
  const language = document.languageId;
  const choices: What[] = [everything, { label: `In ${language}`, params: { language } }];
  if (ending) {
    choices.push({ label: `In *${ending}`, params: { files: `*${ending}` } });
  }
  return vscode.window.showQuickPick(choices, { title: 'Twotrack: pause completions where?' });
}
