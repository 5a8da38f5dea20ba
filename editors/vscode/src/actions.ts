/** The code actions, as package.json has them: vscode_menus.py writes it. */

import type * as vscode from 'vscode';

export interface CodeAction {
  command: string;
  task: string;
  title: string;
  icon: string;
}

interface Package {
  twotrack: { tasks: Record<string, string> };
  contributes: { commands: Omit<CodeAction, 'task'>[] };
}

export function codeActions({ packageJSON }: vscode.Extension<unknown>): CodeAction[] {
  const { twotrack, contributes } = packageJSON as Package;
  return contributes.commands.flatMap((entry) => {
    const task = twotrack.tasks[entry.command];
    return task ? [{ ...entry, task }] : [];
  });
}
