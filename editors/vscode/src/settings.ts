/** Which settings the server is told. Knows nothing of VS Code. */

/** Where a setting was set, as `WorkspaceConfiguration.inspect` says it. */
export interface Inspected {
  globalValue?: unknown;
  workspaceValue?: unknown;
  workspaceFolderValue?: unknown;
}

type Tree = { [key: string]: Tree | unknown };

/**
 * Give the settings that somebody set, in the shape of the TOML.
 *
 * The defaults of package.json are left out: they would be laid over the user's own TOML file.
 * "" is how the settings editor writes "absent".
 */
export function given(
  keys: Iterable<string>,
  inspect: (key: string) => Inspected | undefined,
): Tree {
  const tree: Tree = {};
  for (const key of keys) {
    const found = inspect(key);
    const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
    if (value !== undefined && value !== null && value !== '') {
      put(tree, key.split('.'), value);
    }
  }
  return tree;
}

/** Give the keys of the server's settings, without "twotrack.", that package.json contributes. */
export function serverKeys(packageJson: unknown): string[] {
  const { contributes } = packageJson as {
    contributes: { configuration: { properties: Record<string, unknown> }[] };
  };
  // The first category is the extension's own; the others are generated from the server's schema.
  return contributes.configuration
    .slice(1)
    .flatMap(({ properties }) => Object.keys(properties))
    .map((key) => key.replace(/^twotrack\./, ''));
}

function put(tree: Tree, [name = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    tree[name] = value;
  } else {
    put((tree[name] ??= {}) as Tree, rest, value);
  }
}
