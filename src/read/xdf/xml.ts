/**
 * The XML of XDF headers: text → elements with text and children, nothing else. Attributes, comments, processing
 * instructions and declarations are passed over; of entities only the five that XML itself names and character
 * references are known, so nothing expands. Source: XML 1.0, the part that liblsl and LabRecorder write.
 */

export interface XmlElement {
  readonly name: string;
  /** Its own text, children's left out, trimmed. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** Deeper nesting is passed over: a header has about six levels. */
const maxDepth = 64;

interface Open {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

/** The root element, or undefined where there is none. Unclosed elements end with the text. `onElement` hears of each. */
export function parseXml(text: string, onElement: () => void = () => undefined): XmlElement | undefined {
  const root: Open = { name: '', text: '', children: [] };
  const stack: Open[] = [root];
  let buried = 0;
  const close = () => {
    const { name, text: own, children } = stack.pop()!;
    stack.at(-1)!.children.push({ name, text: unescapeXml(own).trim(), children });
  };
  for (let at = 0; at < text.length; ) {
    const tag = text.indexOf('<', at);
    const end = tag < 0 ? text.length : tag;
    const top = stack.at(-1)!;
    if (end > at && buried === 0) top.text += text.slice(at, end);
    if (tag < 0) break;
    if (text.startsWith('<!--', tag)) at = after(text, '-->', tag + 4);
    else if (text.startsWith('<![CDATA[', tag)) {
      const last = text.indexOf(']]>', tag);
      if (buried === 0)
        top.text += text.slice(tag + 9, last < 0 ? text.length : last).replaceAll('&', '&amp;');
      at = last < 0 ? text.length : last + 3;
    } else {
      at = after(text, '>', tag + 1);
      const inner = text.slice(tag + 1, at - 1);
      if (inner.startsWith('/')) {
        if (buried > 0) buried--;
        else if (stack.length > 1) close();
      } else if (/^[?!]/.test(inner) === false) {
        const isClosed = inner.endsWith('/');
        if (buried > 0 || stack.length > maxDepth) buried += isClosed ? 0 : 1;
        else {
          onElement();
          stack.push({ name: /^[^\s/]*/.exec(inner)![0], text: '', children: [] });
          if (isClosed) close();
        }
      }
    }
  }
  while (stack.length > 1) close();
  return root.children[0];
}

/** The first child of that name, down a path: `at(info, 'desc', 'channels')`. */
export function childAt(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  let found = element;
  for (const name of path) found = found?.children.find((child) => child.name === name);
  return found;
}

/** Text of the element at a path; empty where there is none. */
export function textAt(element: XmlElement | undefined, ...path: readonly string[]): string {
  // biome-ignore lint/plugin: names written in the code
  return childAt(element, ...path)?.text ?? '';
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found + mark.length;
}

const named: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function unescapeXml(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]{2,4});/gi, (whole, body: string) => {
    if (!body.startsWith('#')) return named.get(body) ?? whole;
    const code = /^#x/i.test(body) ? Number.parseInt(body.slice(2), 16) : Number(body.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
