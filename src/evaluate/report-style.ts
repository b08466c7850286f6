/** The report's style sheet. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --panel: #f6f7f9; --line: #d9dee3;
  --eeg: #2f6fd0; --ecg: #d03a54; --both: #7a45b8; --classical: #3d8361; --trivial: #8b949e; --warn: #9a5b00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e9ed; --soft: #9aa4af; --paper: #14171b; --panel: #1d2126; --line: #343b43;
    --eeg: #74a9ff; --ecg: #ff7b90; --both: #bf95ff; --classical: #6fc69b; --trivial: #7d8791; --warn: #f0b45b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 80px; }
h1 { font-size: 2rem; margin: 0; line-height: 1.2; }
h2 { font-size: 1.35rem; margin: 48px 0 8px; padding-top: 16px; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 24px 0 8px; }
.lead { font-size: 1.15rem; color: var(--soft); margin: 4px 0 16px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px 24px; margin: 16px 0; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.note, .warning { border-left: 4px solid var(--soft); background: var(--panel); padding: 8px 12px; }
.warning { border-color: var(--warn); }
.small { font-size: .78rem; color: var(--soft); font-weight: 400; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); text-align: right; line-height: 1.3; vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th:first-child { text-align: left; }
td.text, th.text { text-align: left; overflow-wrap: anywhere; }
tbody th { font-weight: 600; min-width: 11rem; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .45em; }
.legend span { margin-right: 1.2em; white-space: nowrap; }
.legend span .dot { margin-right: .45em; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; }
.wrap { display: flex; flex-wrap: wrap; gap: 24px 40px; }
.confusion caption { text-align: left; font-weight: 600; padding-bottom: 4px; }
.confusion tbody th { min-width: 0; }
th.group { color: var(--soft); padding-top: 14px; font-weight: 600; }
th.span { text-align: center; }
.comparisons tbody th { min-width: 0; white-space: nowrap; }
.comparisons td { white-space: nowrap; }
.comparisons td:last-child { white-space: normal; min-width: 14rem; }
figure figure { margin: 0; }
figure { margin: 16px 0; min-width: 0; }
figure svg[viewBox] { max-width: 100%; height: auto; display: block; overflow: visible; }
@media (max-width: 640px) { figure svg[viewBox] { max-width: none; } }
figcaption { color: var(--soft); font-size: .85rem; margin-top: 4px; }
details { margin: 8px 0; }
summary { cursor: pointer; color: var(--soft); }
pre { background: var(--panel); padding: 12px; overflow-x: auto; font-size: .8rem; }
@media print { details > * { display: block; } }
`;
