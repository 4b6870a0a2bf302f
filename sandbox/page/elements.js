// Interactive elements of Block Kit. Each builder gets the surface that it stands on, its block, and itself;
// a surface knows how to act, what was entered so far, and who is looking.

import { h, icon, ICONS, newId } from './dom.js';
import { asString, plainText, textObject } from './mrkdwn.js';
import { openMenu } from './menu.js';
import { combobox } from './picker.js';

export function element(surface, block, data, label) {
  const build = BUILDERS[data.type];
  if (!build) return h('span', { class: 'unknown' }, `(${data.type})`);
  return build(surface, block, data, label ?? asString(data.placeholder?.text ?? data.action_id));
}

const BUILDERS = {
  button, overflow, workflow_button: button, icon_button: button, feedback_buttons: feedback,
  static_select: select, multi_static_select: picker, external_select: picker, multi_external_select: picker,
  users_select: picker, multi_users_select: picker, conversations_select: picker, channels_select: picker,
  multi_conversations_select: picker, multi_channels_select: picker,
  plain_text_input: textInput, email_text_input: textInput, url_text_input: textInput, number_input: textInput,
  rich_text_input: richTextInput,
  datepicker: dated, timepicker: dated, datetimepicker: dated,
  checkboxes: choices, radio_buttons: choices, file_input: fileInput,
};

// Runs an act with the element busy meanwhile; a failure leaves a small warning beside it.
async function busy(node, work) {
  node.setAttribute('aria-busy', 'true');
  const failed = await work();
  node.removeAttribute('aria-busy');
  node.parentElement?.querySelector(':scope > .failed')?.remove();
  if (failed) node.after(h('span', { class: 'failed', role: 'img', 'aria-label': failed, title: failed }, icon(ICONS.warning)));
  return failed;
}

function button(surface, block, data) {
  const node = h('button', {
    type: 'button',
    class: `button ${data.style ?? ''}`,
    'aria-label': data.accessibility_label,
    dataset: { key: `${block.block_id}/${data.action_id}` },
  }, textObject(data.text));
  node.addEventListener('click', async () => {
    if (data.url) window.open(data.url, '_blank', 'noopener');
    if (data.confirm && !(await surface.confirm(data.confirm))) return;
    const failed = await busy(node, () => surface.act(block, data, null));
    if (!failed) surface.done(asString(data.text.text));
  });
  return node;
}

function feedback(surface, block, data) {
  return h('span', { class: 'feedback' }, ['positive_button', 'negative_button'].map((name) => h('button', {
    type: 'button', class: 'button', onclick: () => surface.act(block, data, data[name].value),
  }, textObject(data[name].text))));
}

function overflow(surface, block, data) {
  const node = h('button', {
    type: 'button', class: 'icon overflow', 'aria-label': 'More actions', 'aria-haspopup': 'menu',
    'aria-expanded': 'false', dataset: { key: `${block.block_id}/${data.action_id}` },
  }, icon(ICONS.dots));
  node.addEventListener('click', () => openMenu(node, data.options.map((option) => ({
    label: textObject(option.text),
    note: option.description?.text,
    run: async () => {
      if (option.url) window.open(option.url, '_blank', 'noopener');
      if (data.confirm && !(await surface.confirm(data.confirm))) return;
      const failed = await busy(node, () => surface.act(block, data, option.value));
      if (!failed) surface.done(asString(option.text.text));
    },
  }))));
  return node;
}

function register(surface, block, data, get) {
  surface.fields.set(`${block.block_id}/${data.action_id}`, { block, data, get });
}

function entered(surface, block, data) {
  return surface.values[block.block_id]?.[data.action_id] ?? null;
}

async function changed(surface, block, data, value, node) {
  if (data.confirm && !(await surface.confirm(data.confirm))) return;
  await busy(node, () => surface.act(block, data, value));
}

function select(surface, block, data, label) {
  const options = data.option_groups ? data.option_groups.flatMap((group) => group.options) : data.options;
  const now = entered(surface, block, data);
  const item = (option) => h('option', {
    value: String(options.indexOf(option)), selected: now?.value === option.value,
  }, asString(option.text.text));
  const empty = h('option', { value: '', selected: !now, hidden: !block.optional && !!now }, asString(data.placeholder?.text ?? 'Choose an option'));
  const node = h('select', {
    ...named(surface, block, data, label), class: 'field', autofocus: data.focus_on_load,
  }, empty, data.option_groups
    ? data.option_groups.map((group) => h('optgroup', { label: asString(group.label.text) }, group.options.map(item)))
    : data.options.map(item));
  const get = () => (node.value === '' ? null : options[Number(node.value)]);
  register(surface, block, data, get);
  node.addEventListener('change', () => changed(surface, block, data, get(), node));
  return node;
}

function picker(surface, block, data, label) {
  const several = data.type.startsWith('multi_');
  const box = combobox({
    ...named(surface, block, data, label),
    placeholder: asString(data.placeholder?.text ?? ''),
    several,
    most: data.max_selected_items,
    chosen: toOptions(surface, data, entered(surface, block, data)),
    least: data.type.endsWith('external_select') ? data.min_query_length ?? 3 : 0,
    find: (typed) => offers(surface, block, data, typed),
    onchange: () => changed(surface, block, data, get(), box.node),
  });
  const plainId = !/external|static/.test(data.type);
  const get = () => {
    const values = box.chosen().map((option) => (plainId ? option.value : option));
    return several ? values : values[0] ?? null;
  };
  register(surface, block, data, get);
  return box.node;
}

function toOptions(surface, data, value) {
  const known = surface.known(data.type);
  return [value].flat().filter(Boolean).map((one) => (
    typeof one === 'string' ? known.find((option) => option.value === one) ?? { text: { type: 'plain_text', text: one }, value: one } : one));
}

// Groups of options: [{label, options}].
async function offers(surface, block, data, typed) {
  if (data.type.endsWith('external_select')) {
    const found = await surface.suggest(block, data, typed);
    return found.length && found[0].options ? found.map((group) => ({ label: asString(group.label.text), options: group.options })) : [{ options: found }];
  }
  const groups = data.option_groups
    ? data.option_groups.map((group) => ({ label: asString(group.label.text), options: group.options }))
    : [{ options: data.options ?? surface.known(data.type) }];
  const wanted = typed.toLowerCase();
  return groups.map((group) => ({
    ...group, options: group.options.filter((option) => option.text.text.toLowerCase().includes(wanted)),
  }));
}

function named(surface, block, data, label) {
  const input = block.type === 'input';
  const key = `${block.block_id}/${data.action_id}`;
  const error = surface.errors[block.block_id];
  return {
    id: input ? surface.idOf(block) : newId('field'),
    'aria-label': input ? undefined : label,
    'aria-required': input && !block.optional ? 'true' : undefined,
    'aria-invalid': error ? 'true' : undefined,
    'aria-describedby': input ? `${surface.idOf(block)}-about` : undefined,
    dataset: { key },
  };
}

const INPUT_TYPES = { email_text_input: 'email', url_text_input: 'url', number_input: 'text', plain_text_input: 'text' };

function textInput(surface, block, data, label) {
  const several = data.multiline === true;
  const node = h(several ? 'textarea' : 'input', {
    ...named(surface, block, data, label),
    class: 'field', dir: 'auto', spellcheck: 'false', autofocus: data.focus_on_load,
    type: several ? undefined : INPUT_TYPES[data.type],
    inputmode: data.type === 'number_input' ? (data.is_decimal_allowed ? 'decimal' : 'numeric') : undefined,
    rows: several ? '4' : undefined,
    placeholder: asString(data.placeholder?.text ?? ''),
  });
  node.value = entered(surface, block, data) ?? '';
  const get = () => (node.value === '' ? null : node.value);
  register(surface, block, data, get);
  const triggers = data.dispatch_action_config?.trigger_actions_on ?? ['on_enter_pressed'];
  node.addEventListener('input', () => {
    if (block.dispatch_action && triggers.includes('on_character_entered')) surface.act(block, data, get());
  });
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    if (block.dispatch_action && triggers.includes('on_enter_pressed') && !several) {
      event.preventDefault();
      surface.act(block, data, get());
    } else if (!several || event.ctrlKey || event.metaKey) {
      event.preventDefault();
      surface.submit?.();
    }
  });
  return node;
}

// A plain text area: Slack makes links of mailboxes, and one section of all the text.
function richTextInput(surface, block, data, label) {
  const node = h('textarea', {
    ...named(surface, block, data, label), class: 'field', dir: 'auto', spellcheck: 'false',
    autofocus: data.focus_on_load, rows: String(data.min_lines ?? 8),
    placeholder: asString(data.placeholder?.text ?? ''),
  });
  node.value = richTextOf(entered(surface, block, data));
  register(surface, block, data, () => (node.value === '' ? null : {
    type: 'rich_text', elements: [{ type: 'rich_text_section', elements: richText(node.value) }],
  }));
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    surface.submit?.();
  });
  return node;
}

const MAILBOX = /([^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+)/;

function richText(text) {
  return text.split(MAILBOX).filter(Boolean).map((part) => (
    MAILBOX.test(part) ? { type: 'link', url: `mailto:${part}`, text: part } : { type: 'text', text: part }));
}

function richTextOf(value) {
  return (value?.elements ?? []).flatMap((section) => section.elements).map((part) => part.text ?? part.url).join('');
}

function dated(surface, block, data, label) {
  const type = { datepicker: 'date', timepicker: 'time', datetimepicker: 'datetime-local' }[data.type];
  const node = h('input', { ...named(surface, block, data, label), class: 'field', type });
  const now = entered(surface, block, data);
  node.value = type === 'datetime-local' && now ? surface.toLocal(now) : now ?? '';
  const get = () => (node.value === '' ? null : type === 'datetime-local' ? surface.fromLocal(node.value) : node.value);
  register(surface, block, data, get);
  node.addEventListener('change', () => changed(surface, block, data, get(), node));
  // A browser shows no placeholder in such a field.
  return data.placeholder && block.type !== 'input' ? h('label', { class: 'dated' }, textObject(data.placeholder), node) : node;
}

function choices(surface, block, data, label) {
  const single = data.type === 'radio_buttons';
  const now = [entered(surface, block, data)].flat().filter(Boolean).map((option) => option.value);
  const group = newId('choice');
  const { id, dataset, ...about } = named(surface, block, data, label);
  const rows = data.options.map((option, index) => {
    const input = h('input', {
      type: single ? 'radio' : 'checkbox', name: group, value: option.value, checked: now.includes(option.value),
      id: index ? undefined : id, dataset: { key: `${dataset.key}/${index}` },
    });
    return h('label', { class: 'choice' }, input, h('span', {}, textObject(option.text),
      option.description && h('small', {}, textObject(option.description))));
  });
  const node = h('div', { class: 'choices', role: single ? 'radiogroup' : 'group', ...about, 'aria-label': label }, rows);
  const get = () => {
    const picked = data.options.filter((_, index) => rows[index].querySelector('input').checked);
    return single ? picked[0] ?? null : picked;
  };
  register(surface, block, data, get);
  node.addEventListener('change', () => changed(surface, block, data, get(), node));
  return node;
}

function fileInput(surface, block, data, label) {
  const files = [...(entered(surface, block, data) ?? [])];
  const list = h('ul', { class: 'files' });
  const input = h('input', {
    ...named(surface, block, data, label), type: 'file', class: 'field', multiple: (data.max_files ?? 10) > 1,
    accept: data.filetypes?.map((type) => `.${type}`).join(','),
  });
  const show = () => list.replaceChildren(...files.map((file) => h('li', {}, plainText(file.name, false))));
  show();
  register(surface, block, data, () => files);
  input.addEventListener('change', async () => {
    for (const file of input.files) files.push(await surface.upload(file));
    show();
    await changed(surface, block, data, files, input);
  });
  return h('div', {}, input, list);
}
