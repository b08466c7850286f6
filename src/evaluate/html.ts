/** HTML by tagged templates in which every value is escaped unless it is HTML already. */
import { visibleText } from '../core/visible-text.ts';

/** Text that is HTML: made by `html`, `join` or, deliberately, `raw`. */
export class Html {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

/** Text for element content and quoted attributes; what would reorder it or could not be seen is shown as an escape. */
export function escapeHtml(text: string): string {
  return visibleText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A template whose values are escaped; nested `Html` stays as it is. */
export function html(strings: TemplateStringsArray, ...values: readonly (Html | string | number)[]): Html {
  let text = strings[0]!;
  for (const [i, value] of values.entries())
    text += (value instanceof Html ? value.text : escapeHtml(String(value))) + strings[i + 1]!;
  return new Html(text);
}

/** Pieces one after the other. */
export function join(pieces: readonly Html[]): Html {
  return new Html(pieces.map(({ text }) => text).join('\n'));
}

/** HTML that was made elsewhere and is safe: our own style, a chart's SVG. */
export function raw(text: string): Html {
  return new Html(text);
}
