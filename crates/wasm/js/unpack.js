// A module's bytes, out of the text that a JavaScript file can hold. DecompressionStream would be shorter and is
// asynchronous; `install()` is not.

/** In which order a block gives the lengths of its code for lengths (RFC 1951, 3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/** Bits of the longest code. */
const CODE_BITS = 15;

/**
 * @param {string} text Base64 of deflated bytes, as the build made them; nothing else is expected here.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function unpack(text) {
  const packed = atob(text);
  const out = [];
  let at = 0;
  let hold = 0;
  let held = 0;

  /** Has that many bits at hand; behind the end they are zeros. */
  const need = (count) => {
    for (; held < count; held += 8) hold |= packed.charCodeAt(at++) << held;
  };
  const drop = (count) => {
    hold >>>= count;
    held -= count;
  };
  const bits = (count) => {
    need(count);
    const value = hold & ((1 << count) - 1);
    drop(count);
    return value;
  };
  const symbol = (table) => {
    need(CODE_BITS);
    const found = table[hold & (table.length - 1)];
    drop(found & 15);
    return found >> 4;
  };

  /** The codes of a block that gives its own: for literals and lengths, and for distances. */
  const ownTables = () => {
    const literals = bits(5) + 257;
    const count = literals + bits(5) + 1;
    const given = bits(4) + 4;
    const first = Array(19).fill(0);
    for (let index = 0; index < given; index++) first[ORDER[index]] = bits(3);
    const table = makeTable(first);
    const lengths = [];
    while (lengths.length < count) {
      const next = symbol(table);
      const value = next === 16 ? lengths[lengths.length - 1] : next < 16 ? next : 0;
      let times = next < 16 ? 1 : next === 16 ? 3 + bits(2) : next === 17 ? 3 + bits(3) : 11 + bits(7);
      while (times--) lengths.push(value);
    }
    return [makeTable(lengths.slice(0, literals)), makeTable(lengths.slice(literals))];
  };

  for (let last = 0; !last;) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) {
      drop(held & 7);
      const size = bits(16);
      bits(16);
      for (let left = size; left > 0; left--) out.push(bits(8));
      continue;
    }
    const [literals, distances] = kind === 1 ? fixedTables() : ownTables();
    for (let found = symbol(literals); found !== 256; found = symbol(literals)) {
      if (found < 256) {
        out.push(found);
        continue;
      }
      const length = found === 285 ? 258 : spread(found - 257, 2, 3, bits);
      const distance = spread(symbol(distances), 1, 1, bits);
      for (let left = length; left > 0; left--) out.push(out[out.length - distance]);
    }
  }
  return new Uint8Array(out);
}

/** The value that a length's or distance's code stands for: each doubling has 2 to the power of `step` codes. */
function spread(code, step, smallest, bits) {
  const extra = (code >> step) - 1;
  return extra < 1
    ? code + smallest
    : (((1 << step) | (code & ((1 << step) - 1))) << extra) + smallest + bits(extra);
}

function fixedTables() {
  const lengths = Array.from({ length: 288 }, (_, code) =>
    code < 144 ? 8 : code < 256 ? 9 : code < 280 ? 7 : 8,
  );
  return [makeTable(lengths), makeTable(Array(30).fill(5))];
}

/** For each run of bits that a code may begin: the symbol, and in the lowest four bits its code's length. */
function makeTable(lengths) {
  let longest = 1;
  for (let symbol = 0; symbol < lengths.length; symbol++)
    if (lengths[symbol] > longest) longest = lengths[symbol];
  // As large as its longest code needs, not as codes may be: filling tables is most of the work.
  const table = new Uint16Array(1 << longest);
  let code = 0;
  for (let length = 1; length <= longest; length++, code <<= 1) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      let turned = 0;
      for (let bit = 0; bit < length; bit++) turned |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let entry = turned; entry < table.length; entry += 1 << length)
        table[entry] = (symbol << 4) | length;
      code++;
    }
  }
  return table;
}
