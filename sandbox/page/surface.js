// What blocks stand on: a message, a modal or the App Home. It knows how to act on their behalf.

import { act, upload } from './api.js';
import { confirmed } from './modal.js';
import { asString } from './mrkdwn.js';
import { toast } from './toast.js';

export function surface(page, place, data, extra = {}) {
  const fields = new Map();
  const me = page.state.me;

  // What stands in the fields now, whether the workspace has heard of it or not.
  const values = () => {
    const all = {};
    for (const { block, data: field, get } of fields.values()) {
      (all[block.block_id] ??= {})[field.action_id] = get();
    }
    return all;
  };

  return {
    fields,
    values: data.values ?? {},
    errors: data.errors ?? {},
    typed: values,
    idOf: (block) => `${place.view ?? place.ts}-${block.block_id}`,
    nameOf: (id) => page.state.names[id] ?? id,
    known: (type) => known(page, type),
    confirm: confirmed,
    upload: (file) => upload(me, file),
    done: (label) => page.tour.pressed(label),
    toLocal: (stamp) => toLocal(stamp, page.zone()),
    fromLocal: (text) => fromLocal(text, page.zone()),

    // Returns a sentence when it went wrong.
    act: async (block, element, value) => {
      // The app hears of an input when something is submitted or pressed; all values go along then.
      if (block.type === 'input' && !block.dispatch_action) return '';
      try {
        const outcome = await act(me, {
          do: 'act', ...place, block_id: block.block_id, action_id: element.action_id, value,
          values: values(),
        });
        if (outcome.notice) toast(outcome.notice, 'wrong');
        return outcome.error ? outcome.notice : '';
      } catch (problem) {
        toast(problem.message, 'wrong');
        return problem.message;
      }
    },
    suggest: async (block, element, typed) => {
      const answer = await act(me, {
        do: 'suggest', ...place, block_id: block.block_id, action_id: element.action_id, value: typed,
        values: values(),
      });
      if (answer.options.length && block.label) page.tour.pressed(asString(block.label.text));
      return answer.options;
    },
    ...extra,
  };
}

function known(page, type) {
  const option = (value, text) => ({ value, text: { type: 'plain_text', text } });
  return type.includes('users')
    ? page.state.people.filter((one) => !one.deleted).map((one) => option(one.id, one.name))
    : page.state.channels.filter((one) => !one.direct).map((one) => option(one.id, `#${one.name}`));
}

// Minutes by which `zone` is ahead of UTC at that moment.
function offset(stamp, zone) {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric',
  }).formatToParts(stamp * 1000);
  const get = (name) => Number(parts.find((part) => part.type === name).value);
  return (Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute')) / 6e4) - Math.floor(stamp / 60);
}

function toLocal(stamp, zone) {
  return new Date((stamp + offset(stamp, zone) * 60) * 1000).toISOString().slice(0, 16);
}

function fromLocal(text, zone) {
  const guess = Date.parse(`${text}Z`) / 1000;
  return guess - offset(guess - offset(guess, zone) * 60, zone) * 60;
}
