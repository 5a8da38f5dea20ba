/** The conversation with the server: started, kept up, restarted when it ends. */

import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import * as vscode from 'vscode';
import {
  CloseAction,
  CodeActionResolveRequest,
  type ClientCapabilities,
  ErrorAction,
  ErrorCodes,
  LanguageClient,
  type LanguageClientOptions,
  LSPErrorCodes,
  ResponseError,
  RevealOutputChannelOn,
  type StaticFeature,
} from 'vscode-languageclient/node';

import { Backoff } from './backoff';
import type { Documents } from './documents';
import { changes, Typing, workspaceEdit } from './edits';
import { GhostText } from './ghost';
import type { Keys } from './keys';
import { SCHEMES, servable, wanted } from './languages';
import { Failure, Messages, type Shown, warn } from './messages';
import { ProgressNotices } from './progress';
import type {
  ClientCapabilities as OwnCapabilities,
  EditParams,
  EditResult,
  Pause,
  PauseParams,
  Reason,
  Requests,
  ServerNotifications,
  Status,
  UseModelParams,
} from './protocol';
import { given, serverKeys } from './settings';
import type { ServerState } from './words';

/** How long a new window is left alone, in milliseconds. */
const REST_MS = 2000;

/** How long a server may take to start, in milliseconds: one that hangs is ended. */
const START_MS = 60_000;

export class Connection implements vscode.Disposable {
  state: ServerState = 'starting';
  status: Status | undefined;

  private readonly changed = new vscode.EventEmitter<void>();
  /** The state or the status changed. */
  readonly onDidChange = this.changed.event;

  private client: LanguageClient | undefined;
  private readonly backoff = new Backoff();
  private retry: NodeJS.Timeout | undefined;
  private atRest: vscode.Disposable | undefined;
  private turn: Promise<void> = Promise.resolve();
  private readonly notices = new ProgressNotices((token) => {
    void this.client?.sendNotification('window/workDoneProgress/cancel', { token });
  });
  private readonly messages: Messages;
  private readonly ghost = new GhostText();
  private readonly keysOfSettings: string[];
  /** What the person chose for this window, whatever becomes of the server. */
  private readonly chosen = new Map<UseModelParams['track'], string>();
  private pauses: readonly Pause[] = [];

  /** `find` gives the server's program, or undefined after it has told the person. */
  constructor(
    private readonly find: () => Promise<string | undefined>,
    private readonly keys: Keys,
    private readonly documents: Documents,
    private readonly output: vscode.LogOutputChannel,
    extension: vscode.Extension<unknown>,
  ) {
    this.messages = new Messages(output);
    this.keysOfSettings = serverKeys(extension.packageJSON);
  }

  /** Start the server when the window has come to rest: sooner, it would slow the window down. */
  startAtRest(): void {
    const timer = setTimeout(() => void this.restart(), REST_MS);
    this.atRest = vscode.Disposable.from(
      new vscode.Disposable(() => clearTimeout(timer)),
      // Who types or asks at once does not wait for that.
      vscode.workspace.onDidChangeTextDocument(
        ({ document }) => servable(document) && void this.restart(),
      ),
    );
  }

  /** Start the server, in the place of one that runs. */
  restart(): Promise<void> {
    this.rested();
    this.abandon();
    this.backoff.reset();
    return this.inTurn(() => this.begin());
  }

  dispose(): Promise<void> {
    this.rested();
    this.abandon();
    return this.inTurn(() => this.end());
  }

  /** Let the server ask for the settings again. */
  async settingsChanged(): Promise<void> {
    await this.client?.sendNotification('workspace/didChangeConfiguration', { settings: null });
  }

  // -- what is asked of the server ---------------------------------------------------------------

  async pause(params: PauseParams): Promise<void> {
    await this.take(this.ask('twotrack/pause', params));
    this.pauses = this.status!.pauses;
  }

  async useModel(track: UseModelParams['track'], model: string | null): Promise<void> {
    await this.take(this.ask('twotrack/useModel', { track, model }));
    if (model === null) {
      this.chosen.delete(track);
    } else {
      this.chosen.set(track, model);
    }
  }

  async freshStatus(): Promise<Status> {
    await this.take(this.ask('twotrack/status', {}));
    return this.status!;
  }

  /** What was sent to models lately. */
  async sent(): Promise<string> {
    return (await this.ask('twotrack/requests', {})).markdown;
  }

  /** What was spent, and on what. */
  async ledger(): Promise<string> {
    return (await this.ask('twotrack/ledger', {})).markdown;
  }

  /** Ask for an edit; nothing is applied. The server shows its progress, which can be cancelled. */
  edit(params: EditParams): Promise<EditResult> {
    return this.ask('twotrack/edit', params);
  }

  /** Name what an edit of that place would be about: a definition, or the selection. */
  async subject(textDocument: { uri: string }, range: EditParams['range']): Promise<string> {
    const asked = { textDocument, range };
    return (await this.ask('twotrack/subject', asked)).subject;
  }

  private async take(answer: Promise<Status>): Promise<void> {
    this.status = await answer;
    this.changed.fire();
  }

  private async ask<Method extends keyof Requests>(
    method: Method,
    params: Requests[Method]['params'],
  ): Promise<Requests[Method]['result']> {
    return request(await this.ready(), method, params);
  }

  /** Wait for a start that is under way. Throws where there is no server then. */
  async ready(): Promise<LanguageClient> {
    // How a start went is told by who began it.
    await (this.atRest ? this.restart() : this.turn).catch(() => undefined);
    if (!this.client?.isRunning()) {
      throw this.state === 'missing'
        ? new Failure('There is no server yet.', 'install')
        : new Error('The server is not running.');
    }
    return this.client;
  }

  private rested(): void {
    this.atRest?.dispose();
    this.atRest = undefined;
  }

  // -- its life ----------------------------------------------------------------------------------

  /** One thing at a time: a start that is under way is waited for, unless it is given up. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work, work);
    return this.turn;
  }

  private async begin(): Promise<void> {
    await this.end();
    this.become('starting');
    const program = await this.find();
    if (!program) {
      this.become('missing');
      return;
    }
    const began = Date.now();
    const client = this.make(program, await this.keys.environment(), () => {
      if (this.client === client) {
        this.client = undefined;
        this.ended(Date.now() - began);
      }
    });
    this.client = client;
    const limit = setTimeout(() => end(client), START_MS);
    try {
      await client.start();
      await this.repeat(client);
    } catch (error) {
      this.output.error(`${program} did not start: ${words(error)}`);
      if (this.client === client) {
        this.client = undefined;
        this.ended(0);
      }
      end(client);
      return;
    } finally {
      clearTimeout(limit);
    }
    if (this.client !== client) {
      end(client); // it was given up, or ended, meanwhile
      return;
    }
    this.become('running');
    // Whatever is wrong with this answer, the server can be used.
    void this.freshStatus().catch((error: unknown) => this.output.debug(words(error)));
  }

  /** Tell a new server what was chosen before. */
  private async repeat(client: LanguageClient): Promise<void> {
    for (const { until, ...scope } of this.pauses) {
      const minutes = until === null ? null : (Date.parse(until) - Date.now()) / 60_000;
      if (minutes === null || minutes > 0) {
        await request(client, 'twotrack/pause', { paused: true, ...scope, minutes });
      }
    }
    for (const [track, model] of this.chosen) {
      // The settings may have changed: a model of that name need not be there.
      await request(client, 'twotrack/useModel', { track, model }).catch((error: unknown) => {
        this.output.warn(words(error));
      });
    }
  }

  /** A start that hangs would keep the next one waiting. */
  private abandon(): void {
    const client = this.client;
    if (client && !client.isRunning()) {
      this.client = undefined;
      end(client);
    }
  }

  private async end(): Promise<void> {
    clearTimeout(this.retry);
    this.notices.clear();
    const client = this.client;
    this.client = undefined; // what it says from now on is not a crash
    this.status = undefined;
    if (client) {
      try {
        await client.dispose(2000);
      } catch (error) {
        this.output.warn(`The server did not stop as it should: ${words(error)}`);
        end(client);
      }
    }
  }

  /** The server ended by itself: start it again after a while. */
  private ended(ranMs: number): void {
    this.status = undefined;
    this.notices.clear();
    this.become('stopped');
    const { waitMs, first } = this.backoff.next(ranMs);
    this.output.warn(`The server ended; it is started again in ${waitMs} ms.`);
    this.retry = setTimeout(() => void this.inTurn(() => this.begin()), waitMs);
    if (first) {
      void this.sayOnce();
    }
  }

  private async sayOnce(): Promise<void> {
    const show = 'Show Output';
    const said = 'Twotrack: the server ended unexpectedly and is started again.';
    if ((await warn(said, show)) === show) {
      this.output.show();
    }
  }

  private become(state: ServerState): void {
    this.state = state;
    this.changed.fire();
  }

  private make(
    program: string,
    environment: Record<string, string>,
    ended: () => void,
  ): LanguageClient {
    const options: LanguageClientOptions = {
      documentSelector: SCHEMES.map((scheme) => ({ scheme })),
      outputChannel: this.output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      stdioOptions: { stdout: () => {}, stderr: logged },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          ended();
          // Restarting is ours: the client would do it at once, and only four times.
          const message = 'The connection to the server is closed.';
          return { action: CloseAction.DoNotRestart, handled: true, message };
        },
      },
      initializationFailedHandler: () => false,
      middleware: {
        provideInlineCompletionItems: (document, position, context, token, next) =>
          wanted(document)
            ? next(document, position, this.ghost.context(context), token)
            : undefined,
        workspace: { configuration: () => [this.settings()] },
        // The server shows nothing but pages to read, of files that end with it.
        window: {
          showDocument: async ({ uri }) => {
            const bytes = await vscode.workspace.fs.readFile(vscode.Uri.parse(uri));
            await this.documents.showPage(Buffer.from(bytes).toString());
            return { success: true };
          },
        },
        handleWorkDoneProgress: (token, value, next) =>
          this.notices.take(token, value, () => next(token, value)),
        resolveCodeAction: (action, token) => this.resolve(client, action, token),
      },
    };
    this.output.info(`Starting ${program}`);
    const client = new Client(
      'twotrack',
      'Twotrack',
      {
        command: program,
        // Not the workspace's folder: nothing is to be found there by accident.
        options: { cwd: homedir(), env: { ...process.env, ...environment }, shell: false },
      },
      options,
    );
    client.registerFeature(new Events());
    listen(client, 'twotrack/notice', (notice) => this.show(notice));
    listen(client, 'twotrack/didExtend', ({ textDocument, position }) => {
      const { asUri, asPosition } = client.protocol2CodeConverter;
      void this.ghost.extend(asUri(textDocument.uri), textDocument.version, asPosition(position));
    });
    listen(client, 'twotrack/didChangeStatus', (status) => {
      this.status = status;
      this.changed.fire();
    });
    return client;
  }

  /**
   * Resolve an action and say what went wrong. VS Code says nothing then, and the client's own way
   * takes "the text has changed" for a cancellation.
   */
  private async resolve(
    client: LanguageClient,
    action: vscode.CodeAction,
    token: vscode.CancellationToken,
  ): Promise<vscode.CodeAction | undefined> {
    const typing = new Typing();
    try {
      const asked = client.code2ProtocolConverter.asCodeActionSync(action);
      const answer = await client.sendRequest(CodeActionResolveRequest.type, asked, token);
      const resolved = await client.protocol2CodeConverter.asCodeAction(answer, token);
      if (answer.edit) {
        // VS Code does not look at the version: keys that the server had not seen would be eaten.
        const read = await changes(answer.edit);
        const present = read.map((change) => typing.moved(change));
        if (present.some((change, number) => change !== read[number])) {
          resolved.edit = workspaceEdit(present);
        }
      }
      return resolved;
    } catch (error) {
      if (!isCancelled(error)) {
        this.tell(error);
      }
      return action;
    } finally {
      typing.dispose();
    }
  }

  /** Tell what went wrong, once, with a button for what mends it. */
  tell(error: unknown): void {
    this.show(notice(error));
  }

  private show(notice: Shown): void {
    void this.messages.show(notice, this.status?.models ?? []);
  }

  private settings(): object {
    const configuration = vscode.workspace.getConfiguration('twotrack');
    const settings = given(this.keysOfSettings, (key) => configuration.inspect(key));
    const debug =
      this.output.logLevel === vscode.LogLevel.Debug ||
      this.output.logLevel === vscode.LogLevel.Trace;
    // The channel's own level asks for more, never for less than the settings do.
    return debug
      ? { ...settings, log: { ...(settings['log'] as object), level: 'debug' } }
      : settings;
  }
}

/** Send a request of twotrack's own. */
function request<Method extends keyof Requests>(
  client: LanguageClient,
  method: Method,
  params: Requests[Method]['params'],
): Promise<Requests[Method]['result']> {
  return client.sendRequest(method, params);
}

/** Hear a notification of twotrack's own. */
function listen<Method extends keyof ServerNotifications>(
  client: LanguageClient,
  method: Method,
  take: (params: ServerNotifications[Method]) => void,
): void {
  client.onNotification(method, take);
}

/** Write down what the server logs, each line as what the server says that it is. */
function logged(stream: Readable, output: vscode.LogOutputChannel): void {
  const to: Record<string, (line: string) => void> = {
    DEBUG: (line) => output.debug(line),
    INFO: (line) => output.info(line),
    WARNING: (line) => output.warn(line),
  };
  let level = '';
  createInterface({ input: stream }).on('line', (line) => {
    // A line without a level belongs to the one before it.
    const [, found, rest] = /^[\d-]+ [\d:,]+ ([A-Z]+) (.*)$/.exec(line) ?? [];
    level = found ?? level;
    (to[level] ?? ((text: string) => output.error(text)))(rest ?? line);
  });
}

/** Whether a request ended because somebody wanted that. */
export function isCancelled(error: unknown): boolean {
  const codes: number[] = [LSPErrorCodes.RequestCancelled, LSPErrorCodes.ServerCancelled];
  return error instanceof ResponseError && codes.includes(error.code);
}

/** An error as a notice; the server says the reason and the remedy of its own. */
function notice(error: unknown): Shown {
  const message = words(error);
  const data = error instanceof ResponseError ? (error.data as Reason | undefined) : {};
  const remedy = error instanceof Failure ? error.remedy : null;
  return { type: 1, message, reason: message, remedy, model: null, ...data };
}

export function words(error: unknown): string {
  if (error instanceof ResponseError && error.code === ErrorCodes.PendingResponseRejected) {
    return 'The server ended before it answered; ask again.';
  }
  return error instanceof Error ? error.message : String(error);
}

/** Its own messages go to the output: the person is told once, by us. */
class Client extends LanguageClient {
  override error(message: string, data?: unknown, show?: boolean | 'force'): void {
    super.error(message, data, show === 'force' ? false : show);
  }
}

/** End a server that does not end by itself. */
function end(client: LanguageClient): void {
  client.serverProcess?.kill('SIGKILL');
}

/** Asks the server for `twotrack/didChangeStatus`. */
class Events implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const others = capabilities.experimental as object | undefined;
    const twotrack: OwnCapabilities = { events: true };
    capabilities.experimental = { ...others, twotrack };
  }

  initialize(): void {}

  getState() {
    return { kind: 'static' } as const;
  }

  clear(): void {}
}
