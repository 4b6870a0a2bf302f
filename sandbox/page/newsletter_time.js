// A time by the reader's own clock; with the day where it is not today.

export function moment(seconds) {
  const at = new Date(seconds * 1000);
  const today = at.toDateString() === new Date().toDateString();
  const day = today ? {} : { month: 'short', day: 'numeric' };
  return at.toLocaleString('en-US', { ...day, hour: 'numeric', minute: '2-digit', second: '2-digit' });
}
