/** The texts that people read: the status bar, its tooltip, reports. Knows nothing of VS Code. */

import type { Pause, EditResult, Status } from './protocol';

/** How the server is. */
export type ServerState = 'missing' | 'starting' | 'running' | 'stopped';

export interface Face {
  text: string;
  /** Markdown. */
  tooltip: string;
  warning: boolean;
  /** Whether a click leads to a model instead of the menu: there is none. */
  mends?: boolean;
}

/** Ways to a model, for the tooltip. */
export const MENDS =
  '[Add a Model](command:twotrack.addModel) · [Set API Key](command:twotrack.setKey)';

/** What the status bar shows; `off` is the language of the open file, if completions are off for it. */
export function face(state: ServerState, status: Status | undefined, off = ''): Face {
  if (state !== 'running') {
    const said = {
      missing: ['$(warning) Twotrack', 'The server was not found.'],
      starting: ['$(loading~spin) Twotrack', 'The server is starting.'],
      stopped: ['$(warning) Twotrack', 'The server is not running.'],
    }[state];
    return { text: said[0]!, tooltip: said[1]!, warning: state !== 'starting' };
  }
  if (!status) {
    return { text: '$(sparkle) Twotrack', tooltip: 'Twotrack is running.', warning: false };
  }
  const [sign, who] = condition(status, off);
  const icon = status.busy ? '$(sync~spin)' : sign;
  const spent = status.spentToday > 0 ? ` ${usd(status.spentToday)}` : '';
  const limited =
    over(status.spentToday, status.budgetDay) || over(status.spentMonth, status.budgetMonth);
  return {
    text: `${icon} ${who}${spent}`,
    tooltip: tooltip(status),
    warning: limited || without(status),
    mends: without(status),
  };
}

/** Who completes, or why nobody does. */
function condition(status: Status, off: string): [string, string] {
  const route = status.tasks['complete'];
  if (status.paused) {
    return ['$(debug-pause)', pause(status.pauses.find(everything)!)];
  }
  if (off) {
    return ['$(circle-slash)', `off for ${off}`];
  }
  if (!route?.using || without(status)) {
    return ['$(warning)', 'no model'];
  }
  return [status.problems.length ? '$(warning)' : '$(sparkle)', `${route.track}: ${route.using}`];
}

/** Whether a pause is of all completions. */
function everything({ language, files }: Pause): boolean {
  return language === null && files === null;
}

/** "paused for lua until 14:05", of what is so. */
function pause({ language, files, until }: Pause): string {
  const where = language ? ` for ${language}` : files ? ` in ${files}` : '';
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  const end = until ? ` until ${new Date(until).toLocaleTimeString([], time)}` : '';
  return `paused${where}${end}`;
}

/** Whether no model completes, so that only the person's own code does. */
function without(status: Status): boolean {
  return Boolean(status.noModel) && !status.paused;
}

function tooltip(status: Status): string {
  const tasks = Object.entries(status.tasks).map(
    ([task, { track, using, chosen }]) =>
      `| ${task} | ${track} | ${using ? escaped(using) : '–'}${chosen ? ' (chosen)' : ''} |`,
  );
  const models = status.models
    .filter(({ problem }) => problem)
    .map(({ name, problem }) => `- ${escaped(name)}: ${escaped(problem!)}`);
  const last = status.last && `Last: ${escaped(answered(status.last))}`;
  return [
    `**Twotrack**${status.paused ? ' is paused' : ''}`,
    ...status.pauses.filter((one) => !everything(one)).map((one) => escaped(pause(one))),
    status.noModel && `${escaped(status.noModel)} ${MENDS}`,
    spending(status),
    last,
    ['| task | track | model |', '| --- | --- | --- |', ...tasks].join('\n'),
    [...models, ...status.problems.map((problem) => `- ${escaped(problem)}`)].join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** One line on what was spent. */
export function spending(status: Status): string {
  const limit = (budget: number | null) => (budget === null ? '' : ` of ${usd(budget)}`);
  return (
    `Spent today ${usd(status.spentToday)}${limit(status.budgetDay)}, ` +
    `this month ${usd(status.spentMonth)}${limit(status.budgetMonth)}`
  );
}

/** "codestral in 1.2 s for $0.0021", of what is known. */
export function answered(
  answer: Partial<Pick<EditResult, 'model' | 'costUsd'>> & { ms: number; task?: string },
): string {
  const seconds =
    answer.ms < 1000 ? `${Math.round(answer.ms)} ms` : `${(answer.ms / 1000).toFixed(1)} s`;
  const cost = answer.costUsd ? ` for ${usd(answer.costUsd)}` : '';
  return [answer.task, answer.model, `in ${seconds}${cost}`].filter(Boolean).join(' ');
}

/** An explanation as a page, with who wrote it. */
export function page(result: EditResult): string {
  return `# ${escaped(result.title)}\n\n${result.text}\n\n---\n\n${escaped(answered(result))}\n`;
}

/** An amount of money, with as many places as it takes to see it. */
export function usd(amount: number): string {
  if (amount === 0) {
    return '$0';
  }
  return amount >= 0.01 ? `$${amount.toFixed(2)}` : `$${amount.toPrecision(1)}`;
}

function over(spent: number, budget: number | null): boolean {
  return budget !== null && spent >= budget;
}

/** Text of one line without links or hidden characters, as messages and names of tabs show it. */
export function plain(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/(?![\u200c\u200d\ufe0e\ufe0f])[\p{Cc}\p{Bidi_C}\p{DI}]/gu, '\ufffd')
    .replace(/\]\s*(?=[([:])/g, '] ');
}

/** Text that Markdown shows as it is. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+!|<>~-]/g, '\\$&').replace(/\s+/g, ' ');
}
