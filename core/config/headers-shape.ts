// Headers that a server wants with every request, beside those that the gateway sets itself.
import * as z from 'zod'

export const headers: z.ZodType<Record<string, string>> = z
  .record(
    z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'not the name of a header')
      .refine(name => !ownHeaders.test(name), 'the gateway sets this header itself'),
    z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'a header value is one line of Latin-1'),
  )
  .refine(given => new Set(Object.keys(given).map(name => name.toLowerCase())).size === Object.keys(given).length, 'a header stands twice')
  .meta({ description: 'Sent with every request, e.g. Authorization; the credential of the caller is never sent on' })
const ownHeaders =
  /^(host|connection|keep-alive|content-length|content-type|transfer-encoding|te|trailer|upgrade|accept|accept-encoding|last-event-id|mcp-.*|mcpgw-.*)$/i
