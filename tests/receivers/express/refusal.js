// Rejects a request with an error status.

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}
