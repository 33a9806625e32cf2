// What is listed of a server for a user who has not authorised the gateway for it yet.
import { Json } from '../mcp/json.ts'

/** The tool that stands for those of a server which nobody has authorised the gateway to ask: to call it is to be asked to. */
export const AUTHORIZE_TOOL: Json = Json.of({
  name: 'authorize',
  description: 'Call this first: the user must authorise the gateway for this server. Its other tools are listed after that.',
  inputSchema: { type: 'object' },
})
