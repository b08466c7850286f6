/** The public surface: adding, renaming or losing a name is a decision, seen in a diff of the snapshot. */
import { expect, test } from 'vitest';
import * as browser from '../src/browser.ts';
import * as pure from '../src/index.ts';
import * as node from '../src/node.ts';

const names = (module: object) => Object.keys(module).sort();

test('heartmind exports these values', () => {
  expect(names(pure)).toMatchSnapshot();
});

test('heartmind/node and heartmind/browser add these', () => {
  const added = (module: object) => names(module).filter((name) => !(name in pure));
  expect({ node: added(node), browser: added(browser) }).toMatchSnapshot();
  expect(names(pure).filter((name) => !(name in node) || !(name in browser))).toEqual([]);
});
