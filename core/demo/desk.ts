// Demo server `desk`: a made-up support desk whose answers carry personal data, and whose tools ask back, so that every way out is seen.
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from './loop.ts'
import { type Fields, isFields } from './protocol.ts'
import { readsOnly, type Tool, textOf, textResult, toolError, toolMethods } from './tools.ts'

// Invented people; the card numbers are the public test numbers of the card schemes.
const customers = [
  { id: 'C-1001', name: 'Ada Moreno', email: 'ada.moreno@example.com', card: '4242 4242 4242 4242', ssn: '536-90-4399', plan: 'team' },
  { id: 'C-1002', name: 'Bo Lindqvist', email: 'bo@example.org', card: '5555555555554444', ssn: '219-44-5821', plan: 'free' },
  { id: 'C-1003', name: 'Chioma Eze', email: 'chioma.eze@example.net', card: '3782 822463 10005', ssn: '457-55-5462', plan: 'enterprise' },
] as const

const text = { type: 'string' } as const

const tools: Record<string, Tool> = {
  get_customer: {
    title: 'Look up a customer',
    description: 'Returns one customer with contact and payment data. The customers are C-1001 to C-1003.',
    annotations: readsOnly,
    properties: { id: { type: 'string', description: 'The id of a customer, such as C-1001.', pattern: '^C-[0-9]{4}$' } },
    required: ['id'],
    outputSchema: {
      type: 'object',
      properties: { id: text, name: text, email: text, card: text, ssn: text, plan: { ...text, enum: ['free', 'team', 'enterprise'] } },
      required: ['id', 'name', 'email', 'card', 'ssn', 'plan'],
    },
    run(args) {
      const id = args.text('id')
      const customer = customers.find(one => one.id === id)
      if (customer === undefined) return toolError(`There is no customer ${id}.`)
      const { name, email, card, ssn, plan } = customer
      return textResult(`${name} <${email}> is on the ${plan} plan, pays with card ${card}, SSN ${ssn}.`, { ...customer })
    },
  },
  slow_report: {
    title: 'Write a slow report',
    description: 'Counts the tickets of a number of weeks, slowly, with progress; it can be cancelled at any time.',
    annotations: readsOnly,
    properties: {
      weeks: { type: 'integer', description: 'How many weeks to count, 1 to 100.', minimum: 1, maximum: 100, default: 5 },
      delay_ms: { type: 'integer', description: 'Milliseconds for each week, 0 to 10,000.', minimum: 0, maximum: 10_000, default: 200 },
    },
    async run(args, call) {
      const weeks = args.number('weeks')
      for (let week = 1; week <= weeks; week++) {
        call.progress(week, weeks, `week ${week} of ${weeks}`)
        await sleep(args.number('delay_ms'), undefined, { signal: call.signal })
      }
      return textResult(`${weeks * 17} tickets in ${weeks} weeks.`)
    },
  },
  ask_user: {
    title: 'Ask the user',
    description: 'Asks the person in front of the client a question and returns what they said. Needs a client with elicitation.',
    annotations: { readOnlyHint: true, openWorldHint: true },
    properties: { question: { type: 'string', description: 'The question, up to 500 characters.', maxLength: 500 } },
    required: ['question'],
    async run(args, call) {
      if (!call.clientCan('elicitation')) return toolError('The client cannot ask its user.')
      const requestedSchema = {
        type: 'object',
        properties: { answer: { type: 'string', title: 'Answer', description: 'Your answer in a few words.' } },
        required: ['answer'],
      }
      const reply = await call.request('elicitation/create', { mode: 'form', message: args.text('question'), requestedSchema })
      const answer = isFields(reply.content) ? reply.content.answer : undefined
      return textResult(
        reply.action === 'accept' ? `The user said: ${textOf(answer)}` : `The user did not answer (${textOf(reply.action)}).`,
      )
    },
  },
  summarise: {
    title: 'Summarise a text',
    description: "Has the client's own model summarise a text. Needs a client with sampling.",
    annotations: { readOnlyHint: true, openWorldHint: true },
    properties: { text: { type: 'string', description: 'The text, up to 20,000 characters.', maxLength: 20_000 } },
    required: ['text'],
    async run(args, call) {
      if (!call.clientCan('sampling')) return toolError('The client cannot sample.')
      const content = { type: 'text', text: `Summarise in one sentence:\n\n${args.text('text')}` }
      const reply = await call.request('sampling/createMessage', { messages: [{ role: 'user', content }], maxTokens: 200 })
      return textResult(summaryIn(reply))
    },
  },
  whoami: {
    title: 'Show the environment',
    description: 'Names the environment variables that this server was given, without their values.',
    annotations: readsOnly,
    properties: {},
    outputSchema: { type: 'object', properties: { environment: { type: 'array', items: text } }, required: ['environment'] },
    run() {
      const environment = Object.keys(process.env).sort()
      return textResult(`desk sees: ${environment.join(', ')}`, { environment })
    },
  },
}

function summaryIn(reply: Fields): string {
  const blocks = Array.isArray(reply.content) ? reply.content : [reply.content]
  return blocks.flatMap(block => (isFields(block) && typeof block.text === 'string' ? [block.text] : [])).join('\n')
}

serve({
  name: 'desk',
  title: 'Support desk (demo)',
  instructions: 'A made-up support desk. Customer records hold personal data; show no more of it than was asked for.',
  capabilities: { tools: {} },
  methods: toolMethods(tools),
})
