// Tables and charts.

import { h } from './dom.js';
import { plainText } from './mrkdwn.js';

export function table(block, rich) {
  const [head, ...rows] = block.rows;
  const cell = (tag) => (data, column) => h(tag, {
    class: block.column_settings?.[column]?.align ?? (data.type === 'raw_number' ? 'right' : ''),
    scope: tag === 'th' ? 'col' : undefined, dir: 'auto',
  }, data.type === 'rich_text' ? rich(data) : plainText(String(data.text ?? data.value ?? ''), false));
  return h('div', { class: 'block scroll', tabindex: '0', role: 'region', 'aria-label': block.caption ?? 'Table' },
    h('table', {},
      block.caption && h('caption', {}, block.caption),
      h('thead', {}, h('tr', {}, head.map(cell('th')))),
      h('tbody', {}, rows.map((row) => h('tr', {}, row.map(cell('td')))))));
}

// Every kind of chart as bars with their numbers: readable without colours and by screen readers.
export function chart(block) {
  const { chart: data } = block;
  const series = data.type === 'pie' ? [{ name: '', data: data.segments }] : data.series;
  const most = Math.max(1e-9, ...series.flatMap((one) => one.data.map((point) => point.value)));
  const labels = data.type === 'pie' ? data.segments.map((one) => one.label) : data.axis_config?.categories ?? series[0].data.map((one) => one.label);
  return h('figure', { class: 'block chart' },
    h('figcaption', {}, block.title),
    h('div', { class: 'legend' }, series.filter((one) => one.name).map((one, index) => h('span', { class: `key colour-${index % 6}` }, one.name))),
    h('dl', {}, labels.map((label, at) => [
      h('dt', {}, label),
      h('dd', {}, series.map((one, index) => {
        const value = one.data[at]?.value ?? 0;
        const bar = h('span', { class: `bar colour-${index % 6}` });
        bar.style.width = `${(Math.max(0, value) / most) * 80}%`;
        return h('div', { class: 'measure' }, bar, h('span', {}, String(value)));
      })),
    ])));
}
