// A number of a JSON text, kept as it was written: what it means depends on the schema of its field.

export class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
    Object.freeze(this)
  }
}
