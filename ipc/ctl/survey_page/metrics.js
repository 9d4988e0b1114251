// By what nodes are coloured and sized. A metric of numbers is cut into classes that hold about as many nodes each, so
// that one absurd number does not make all others look alike; a metric of names has a class for each frequent name.

const CLASSES_MAX = 6;
const NAMES_MAX = 7;
const OTHER_NAMES = 'other';

const METRICS = [
  { key: 'degree', label: 'Links', value: (node) => node.degree, text: count_text },
  { key: 'inbound', label: 'Inbound links', value: (node) => node.inbound, text: count_text },
  { key: 'outbound', label: 'Outbound links', value: (node) => node.outbound, text: count_text },
  { key: 'latency', label: 'Median latency', value: (node) => node.latency, text: ms_text },
  {
    key: 'first_to_self',
    label: 'SCP first to self, p75',
    value: (node) => node.numbers.p75SCPFirstToSelfLatencyMs,
    text: ms_text,
  },
  {
    key: 'self_to_other',
    label: 'SCP self to other, p75',
    value: (node) => node.numbers.p75SCPSelfToOtherLatencyMs,
    text: ms_text,
  },
  { key: 'lost_sync', label: 'Times sync was lost', value: (node) => node.numbers.lostSyncCount, text: count_text },
  { key: 'dropped', label: 'Dropped peers', value: (node) => node.numbers.droppedAuthenticatedPeers, text: count_text },
  { key: 'added', label: 'Added peers', value: (node) => node.numbers.addedAuthenticatedPeers, text: count_text },
  { key: 'bytes', label: 'Bytes on all links', value: (node) => node.bytes, text: bytes_text },
  { key: 'duplicates', label: 'Share of duplicates', value: (node) => node.duplicates, text: share_text },
  { key: 'validator', label: 'Is a validator', name: (node) => validator_name(node) },
  { key: 'version', label: 'Version', name: (node) => node.version },
  { key: 'state', label: 'Answered, or why not', name: (node) => STATE_TEXT[node.state] },
];

const SIZES = [
  { key: 'degree', label: 'Links', value: (node) => node.degree },
  { key: 'bytes', label: 'Bytes on all links', value: (node) => node.bytes },
  { key: 'duplicates', label: 'Share of duplicates', value: (node) => node.duplicates },
  { key: 'same', label: 'All the same', value: () => 1 },
];

const RADIUS_MIN = 2.6;
const RADIUS_MAX = 9.5;
const RADIUS_NODES = 500; // with fewer nodes there is room for larger ones
const RADIUS_MORE_MAX = 1.7;

function validator_name(node) {
  return node.is_validator === null ? '' : node.is_validator ? 'validator' : 'no validator';
}

// What a metric says of one node, for tooltip and legend.
function metric_text(metric, node) {
  return metric.name ? metric.name(node) || NOT_TOLD : metric.text(metric.value(node));
}

// {classes: [{label, count, color}], of: class number by node index}. The colours are numbers of the palette's entries:
// the palette itself depends on light or dark.
function classify(metric, nodes) {
  return metric.name ? classify_names(metric, nodes) : classify_numbers(metric, nodes);
}

function classify_numbers(metric, nodes) {
  const sorted = nodes
    .map(metric.value)
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
  const classes = cut_into_classes(sorted);
  for (const [index, one] of classes.entries()) {
    const least = metric.text(one.least);
    const most = metric.text(one.most);
    one.label = least === most ? least : range_text(least, most);
    one.color = { ramp: classes.length > 1 ? index / (classes.length - 1) : 0.5 };
  }
  const of = nodes.map((node) => {
    const value = metric.value(node);
    return value === null ? -1 : classes.findIndex((one) => value <= one.most);
  });
  return with_unknown(classes, of);
}

// The unit once, if both have the same.
function range_text(least, most) {
  const [number, unit] = least.split('\u00a0');
  return (most.endsWith('\u00a0' + unit) ? number : least) + ' to ' + most;
}

// Equal values stay together; a class is full when it holds its share of what is left.
function cut_into_classes(sorted) {
  const classes = [];
  let at = 0;
  while (at < sorted.length) {
    const share = (sorted.length - at) / (CLASSES_MAX - classes.length);
    let end = at;
    do {
      const value = sorted[end];
      while (end < sorted.length && sorted[end] === value) end += 1;
    } while (end < sorted.length && end - at < share);
    if (classes.length === CLASSES_MAX - 1) end = sorted.length;
    classes.push({ least: sorted[at], most: sorted[end - 1], count: end - at });
    at = end;
  }
  return classes;
}

function classify_names(metric, nodes) {
  const counts = new Map();
  for (const node of nodes) {
    const name = metric.name(node);
    if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const names = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const classes = names.slice(0, NAMES_MAX).map(([label, count], name) => ({ label, count, color: { name } }));
  const rest = names.slice(NAMES_MAX).reduce((sum, entry) => sum + entry[1], 0);
  if (rest > 0) classes.push({ label: OTHER_NAMES, count: rest, color: { name: NAMES_MAX } });
  const place = new Map(names.map(([name], index) => [name, Math.min(index, NAMES_MAX)]));
  return with_unknown(
    classes,
    nodes.map((node) => place.get(metric.name(node)) ?? -1),
  );
}

function with_unknown(classes, of) {
  const count = of.filter((place) => place === -1).length;
  if (count > 0) classes.push({ label: 'not told', count, color: { none: true } });
  return { classes, of: of.map((place) => (place === -1 ? classes.length - 1 : place)) };
}

// Radii by rank and not by value, for the same reason as the classes.
function radii(size, nodes) {
  const values = nodes.map(size.value);
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const rank = new Map();
  sorted.forEach((value, place) => rank.set(value, place));
  const most = Math.max(1, sorted.length - 1);
  const more = Math.min(RADIUS_MORE_MAX, Math.max(1, Math.pow(RADIUS_NODES / Math.max(1, nodes.length), 0.35)));
  const is_flat = sorted.length === 0 || sorted[0] === sorted[sorted.length - 1];
  return values.map((value) => {
    if (value === null) return RADIUS_MIN * more;
    if (is_flat) return ((RADIUS_MIN + RADIUS_MAX) / 2) * more;
    return (RADIUS_MIN + (RADIUS_MAX - RADIUS_MIN) * Math.pow(rank.get(value) / most, 2.2)) * more;
  });
}
