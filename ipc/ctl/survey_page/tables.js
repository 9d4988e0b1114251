// What the two large tables show.

function number_column(key, label, value, text, width, hint) {
  return { key, label, text: (row) => text(value(row)), sort: value, numeric: true, width, hint };
}

function text_column(key, label, value, width, more = {}) {
  return { key, label, text: (row) => value(row) || NOT_TOLD, sort: value, width, ...more };
}

function node_columns() {
  const own = (key) => (node) => node.numbers[key];
  const id_look = { title: (node) => node.id, style: 'id' };
  return [
    { ...text_column('id', 'Node', (node) => node.short, 122, id_look), sort: (node) => node.id },
    text_column('version', 'Version', (node) => node.version, 190),
    text_column('state', 'Answer', (node) => STATE_TEXT[node.state], 92),
    text_column('validator', 'Validator', (node) => yes_no_text(node.is_validator), 92),
    number_column('degree', 'Links', (node) => node.degree, count_text, 76),
    number_column('inbound', 'In', (node) => node.inbound, count_text, 58, 'Links it accepted'),
    number_column('outbound', 'Out', (node) => node.outbound, count_text, 66, 'Links it dialled'),
    number_column('latency', 'Latency', (node) => node.latency, ms_text, 92, 'Median over its links'),
    number_column('first', 'First to self', own('p75SCPFirstToSelfLatencyMs'), ms_text, 116, 'SCP, 75th percentile'),
    number_column('other', 'Self to other', own('p75SCPSelfToOtherLatencyMs'), ms_text, 118, 'SCP, 75th percentile'),
    number_column('lost', 'Lost sync', own('lostSyncCount'), count_text, 100, 'How often it lost sync'),
    number_column('added', 'Added', own('addedAuthenticatedPeers'), count_text, 84, 'Peers added while it counted'),
    number_column('dropped', 'Dropped', own('droppedAuthenticatedPeers'), count_text, 96, 'Peers dropped meanwhile'),
    number_column('bytes', 'Bytes', (node) => node.bytes, bytes_text, 84, 'Over all its links, both ways'),
    number_column('duplicates', 'Duplicates', (node) => node.duplicates, share_text, 108, 'Of the bytes it received'),
  ];
}

// "Sent" is what the sender says, "received" what the receiver says: they differ by what is under way, or somebody
// errs.
function link_columns() {
  const id_of = (end) => ({ title: (link) => link[end].id, style: 'id' });
  const told = (end, key) => (link) => link[end]?.[key] ?? null;
  return [
    { ...text_column('from', 'From', (link) => link.from.short, 122, id_of('from')), sort: (link) => link.from.id },
    { ...text_column('to', 'To', (link) => link.to.short, 122, id_of('to')), sort: (link) => link.to.id },
    text_column('agreement', 'Link', (link) => AGREEMENT_TEXT[link.agreement], 116, { mark: agreement_mark }),
    number_column('latency', 'Latency', (link) => link.latency, ms_text, 92),
    number_column('seconds', 'Connected', (link) => link.seconds, seconds_text, 104, 'In all'),
    number_column('sent', 'Sent', told('from_told', 'bytesWritten'), bytes_text, 84, 'By "from", as it says'),
    number_column('received', 'Received', told('to_told', 'bytesRead'), bytes_text, 96, 'By "to", as it says'),
    number_column('sent_back', 'Sent back', told('to_told', 'bytesWritten'), bytes_text, 100, 'By "to", as it says'),
    number_column(
      'received_back',
      'Received back',
      told('from_told', 'bytesRead'),
      bytes_text,
      130,
      'By "from", as it says',
    ),
    number_column(
      'messages',
      'Messages',
      told('from_told', 'messagesWritten'),
      count_text,
      100,
      'Sent by "from", as it says',
    ),
    number_column(
      'messages_back',
      'Messages back',
      told('to_told', 'messagesWritten'),
      count_text,
      134,
      'Sent by "to", as it says',
    ),
    number_column('duplicates', 'Duplicates', (link) => link.duplicates, share_text, 108, 'Of the bytes received'),
  ];
}
