// Packs dist/twotrack.vsix; with --target PLATFORM --wheels FOLDER one for that platform, which carries
// the wheels of the server, so that nothing is fetched when it is installed.
import { createVSIX } from '@vscode/vsce';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { target, wheels } = parseArgs({
  options: { target: { type: 'string' }, wheels: { type: 'string' } },
}).values;
const { repository, version } = JSON.parse(readFileSync('package.json', 'utf8'));
const path = `v${version}/${repository.directory}`;
const home = repository.url.replace(/\.git$/, '');

rmSync('dist/wheels', { recursive: true, force: true });
mkdirSync('dist', { recursive: true });
cpSync('../../CHANGELOG.md', 'dist/CHANGELOG.md'); // the server's: they are released together
if (wheels) {
  cpSync(wheels, 'dist/wheels', { recursive: true });
}
try {
  await createVSIX({
    packagePath: `dist/twotrack${target ? `-${target}` : ''}.vsix`,
    target,
    dependencies: false,
    changelogPath: 'dist/CHANGELOG.md',
    // Marketplaces show the page where its pictures are not.
    baseContentUrl: `${home}/blob/${path}`,
    baseImagesUrl: `${home.replace('github.com', 'raw.githubusercontent.com')}/${path}`,
  });
} finally {
  rmSync('dist/wheels', { recursive: true, force: true });
}
