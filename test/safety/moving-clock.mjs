// Loaded into a process with --import: its clock goes back by a second at every look, from a day ahead on.
let time = Date.now() + 86_400_000;
const Real = Date;
function tick() {
  time -= 1000;
  return time;
}
globalThis.Date = class Date extends Real {
  constructor(...args) {
    if (args.length === 0) super(tick());
    else super(...args);
  }
  static now() {
    return tick();
  }
};
