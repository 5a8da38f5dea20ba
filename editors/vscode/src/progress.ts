/**
 * The server's progress as notifications that can be cancelled. The client by itself shows it in
 * the status bar, where nothing can be cancelled.
 */

import * as vscode from 'vscode';
import type {
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient';

import { plain } from './words';

type Value = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

interface Notice {
  report(message: string): void;
  end(): void;
}

export class ProgressNotices {
  private readonly shown = new Map<ProgressToken, Notice>();

  constructor(private readonly cancel: (token: ProgressToken) => void) {}

  /** Take a message about a piece of work; `next` is the client's own way. */
  take(token: ProgressToken, value: Value, next: () => void): void {
    if (value.kind === 'begin' && value.cancellable) {
      this.shown.set(token, this.show(token, value.title));
      return;
    }
    const notice = this.shown.get(token);
    if (!notice || value.kind === 'end') {
      next(); // it forgets the token
    }
    if (value.kind === 'end') {
      notice?.end();
      this.shown.delete(token);
    } else if (value.message) {
      notice?.report(value.message);
    }
  }

  /** End all of them: nobody will. */
  clear(): void {
    for (const notice of this.shown.values()) {
      notice.end();
    }
    this.shown.clear();
  }

  private show(token: ProgressToken, title: string): Notice {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    let report = (_: string): void => {};
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: plain(title),
      cancellable: true,
    };
    void vscode.window.withProgress(options, (progress, cancellation) => {
      report = (message) => progress.report({ message: plain(message) });
      cancellation.onCancellationRequested(() => this.cancel(token));
      return ended;
    });
    return { report: (message) => report(message), end: () => end() };
  }
}
