// Bundles the extension into dist/extension.js; with --tests, the unit tests into dist/test.
import { build } from 'esbuild';
import { globSync } from 'node:fs';

const minify = process.argv.includes('--minify');
const common = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
  logLevel: 'warning',
};

if (process.argv.includes('--tests')) {
  await build({ ...common, entryPoints: globSync('test/*.test.ts'), outdir: 'dist/test' });
} else {
  await build({
    ...common,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    minify,
    sourcemap: !minify,
  });
}
