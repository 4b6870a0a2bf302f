// The page's own API: see sandbox/page_api/page_routes.py,
// sandbox/simulated_providers/provider_routes.py, and sandbox/newsletter/newsletter_routes.py.

async function answer(response) {
  const body = await response.json();
  if (response.ok) return body;
  throw new Error(body.notice || `The workspace answered ${response.status}.`);
}

export async function readState(person) {
  return answer(await fetch(`/sandbox/state?person=${encodeURIComponent(person)}`));
}

export async function readJournal(after) {
  return answer(await fetch(`/sandbox/journal?after=${after}`));
}

export async function readEmoji() {
  return answer(await fetch('/page/emoji.json'));
}

export async function act(person, what) {
  const path = `/sandbox/people/${encodeURIComponent(person)}/do`;
  const body = JSON.stringify(what);
  const headers = { 'Content-Type': 'application/json' };
  return answer(await fetch(path, { method: 'POST', headers, body }));
}

export async function readOutside() {
  return answer(await fetch('/sandbox/outside'));
}

export async function readContact(name) {
  return answer(await fetch(`/sandbox/outside/contact?name=${encodeURIComponent(name)}`));
}

export async function actOutside(path, what) {
  const body = JSON.stringify(what);
  const headers = { 'Content-Type': 'application/json' };
  return answer(await fetch(`/sandbox/outside/${path}`, { method: 'POST', headers, body }));
}

export async function readNewsletter() {
  return answer(await fetch('/sandbox/newsletter'));
}

export async function sendCampaign(medium) {
  const body = JSON.stringify({ medium });
  const headers = { 'Content-Type': 'application/json' };
  return answer(await fetch('/sandbox/newsletter/send', { method: 'POST', headers, body }));
}

export async function upload(person, file) {
  const path = `/sandbox/people/${encodeURIComponent(person)}/files?name=${encodeURIComponent(file.name)}`;
  return answer(await fetch(path, { method: 'POST', body: file }));
}

export function listen(person, onChange, onLink) {
  // Returns a function that ends it. Comes back by itself when the connection breaks.
  let socket = null;
  let ended = false;
  let delay = 250;
  const connect = () => {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    socket = new WebSocket(`${scheme}://${location.host}/sandbox/live?person=${encodeURIComponent(person)}`);
    socket.onopen = () => { delay = 250; onLink(true); };
    socket.onmessage = (event) => onChange(JSON.parse(event.data));
    socket.onclose = () => {
      if (ended) return;
      onLink(false);
      setTimeout(connect, delay);
      delay = Math.min(delay * 2, 5000);
    };
  };
  connect();
  return () => { ended = true; socket.close(); };
}
