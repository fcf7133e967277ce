// A request that is answered with an error.

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}
