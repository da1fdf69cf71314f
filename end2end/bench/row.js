import { readFile, writeFile } from 'node:fs/promises';

/** The table's copy for programs, which the bench before this one has written. */
const { VESTIBULE_BENCH_JSON: copy } = process.env;

/** Prints one line of the table, and adds it to the copy. */
export async function row(figure, here, aim) {
  const value = here.toFixed(1);
  console.log(`${figure.padEnd(58)} ${value.padStart(12)} ${String(aim).padStart(12)}`);
  if (!copy) return;
  const rows = JSON.parse(await readFile(copy, 'utf8'));
  rows.push({ figure, value: Number(value), ...(aim !== '' && { goal: String(aim) }) });
  await writeFile(copy, `${JSON.stringify(rows, null, 2)}\n`);
}
