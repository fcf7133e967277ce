// The receiver's clock, which a test can set ahead.

let secondsAhead = 0;

export const unixSeconds = () => Date.now() / 1000 + secondsAhead;

export function shiftClock(seconds) {
  secondsAhead = seconds;
}
