// Valid signed transactions and SCP envelopes, made with stellar-base: its encoding and hashes are the second opinion.
import base from '@stellar/stellar-base';
import { NETWORK_ID, PASSPHRASE } from './daemon.mjs';
import { sha256 } from './identity.mjs';

const { Account, Asset, Keypair, Operation, TransactionBuilder, xdr } = base;

// {message, envelope (bytes), hash (hex), full_hash (bytes)}; `sequence` makes it unlike every other.
export function make_transaction(sequence) {
  const source = Keypair.fromRawEd25519Seed(sha256(Buffer.from(`source ${sequence}`)));
  const destination = Keypair.fromRawEd25519Seed(sha256(Buffer.from(`destination ${sequence}`))).publicKey();
  const builder = new TransactionBuilder(new Account(source.publicKey(), String(sequence)), {
    fee: '100',
    networkPassphrase: PASSPHRASE,
  }).setTimeout(0);
  for (let i = 0; i <= sequence % 5; ++i)
    builder.addOperation(Operation.payment({ destination, asset: Asset.native(), amount: String(i + 1) }));
  const transaction = builder.build();
  transaction.sign(source);
  const envelope = transaction.toEnvelope();
  const bytes = envelope.toXDR();
  return {
    message: xdr.StellarMessage.transaction(envelope),
    envelope: bytes,
    hash: transaction.hash().toString('hex'),
    full_hash: sha256(bytes),
  };
}

export const int32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

// A StellarValue as nominators make it: signed over network id, ENVELOPE_TYPE_SCPVALUE (4), tx set and close time.
function make_value(keys, slot, tx_set_hash = sha256(Buffer.from(`tx set ${slot}`))) {
  const close_time = xdr.Uint64.fromString(String(1_700_000_000 + slot * 5));
  const signature = keys.sign(Buffer.concat([NETWORK_ID, int32(4), tx_set_hash, close_time.toXDR()]));
  return new xdr.StellarValue({
    txSetHash: tx_set_hash,
    closeTime: close_time,
    upgrades: [],
    ext: xdr.StellarValueExt.stellarValueSigned(
      new xdr.LedgerCloseValueSignature({ nodeId: keys.xdrAccountId(), signature }),
    ),
  }).toXDR();
}

function make_pledges(value, quorum_set_hash, kind) {
  const ballot = (counter) => new xdr.ScpBallot({ counter, value });
  if (kind === 'nominate')
    return xdr.ScpStatementPledges.scpStNominate(
      new xdr.ScpNomination({ quorumSetHash: quorum_set_hash, votes: [value], accepted: [] }),
    );
  return xdr.ScpStatementPledges.scpStExternalize(
    new xdr.ScpStatementExternalize({ commit: ballot(1), nH: 1, commitQuorumSetHash: quorum_set_hash }),
  );
}

// A generalized transaction set of one transaction and a quorum set of one validator: {message, xdr, hash (bytes)}.
export function make_tx_set(number) {
  const component = xdr.TxSetComponent.txsetCompTxsMaybeDiscountedFee(
    new xdr.TxSetComponentTxsMaybeDiscountedFee({
      baseFee: null,
      txes: [xdr.TransactionEnvelope.fromXDR(make_transaction(number).envelope)],
    }),
  );
  const set = new xdr.GeneralizedTransactionSet(
    1,
    new xdr.TransactionSetV1({
      previousLedgerHash: sha256(Buffer.from(`ledger ${number}`)),
      phases: [new xdr.TransactionPhase(0, [component])],
    }),
  );
  return { message: xdr.StellarMessage.generalizedTxSet(set), xdr: set.toXDR(), hash: sha256(set.toXDR()) };
}
export function make_quorum_set(number) {
  const keys = Keypair.fromRawEd25519Seed(sha256(Buffer.from(`validator ${number}`)));
  const set = new xdr.ScpQuorumSet({ threshold: 1, validators: [keys.xdrAccountId()], innerSets: [] });
  return { message: xdr.StellarMessage.scpQuorumset(set), xdr: set.toXDR(), hash: sha256(set.toXDR()) };
}

// An envelope of node `node` (a number) for `slot`, signed over network id, ENVELOPE_TYPE_SCP (1) and the statement.
// `items` are the sets that it names; absent: such as do not exist.
export function make_scp(slot, node, kind = 'externalize', items = {}) {
  const keys = Keypair.fromRawEd25519Seed(sha256(Buffer.from(`validator ${node}`)));
  const statement = new xdr.ScpStatement({
    nodeId: keys.xdrAccountId(),
    slotIndex: xdr.Uint64.fromString(String(slot)),
    pledges: make_pledges(
      make_value(keys, slot, items.tx_set?.hash),
      items.quorum_set?.hash ?? sha256(Buffer.from('quorum set')),
      kind,
    ),
  });
  const signature = keys.sign(Buffer.concat([NETWORK_ID, int32(1), statement.toXDR()]));
  const envelope = new xdr.ScpEnvelope({ statement, signature });
  return { message: xdr.StellarMessage.scpMessage(envelope), envelope: envelope.toXDR() };
}

export const base64 = (bytes) => bytes.toString('base64');
