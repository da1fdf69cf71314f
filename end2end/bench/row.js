/** Prints one line of the table. */
export function row(figure, here, aim) {
  console.log(`${figure.padEnd(58)} ${here.toFixed(1).padStart(12)} ${String(aim).padStart(12)}`);
}
