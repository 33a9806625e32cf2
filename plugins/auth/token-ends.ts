// Ends what callers have open whose last token has ended, and puts on record what that was.
import { type PluginContext, type Principal, Recording } from 'mcpgw/plugin'

/** `isMeant`: whose tokens have ended. */
export function endTokens(ctx: Pick<PluginContext, 'expel' | 'find' | 'log'>, isMeant: (principal: Principal) => boolean): void {
  const owners = new Map<string, Principal>()
  // One walk over what is open, however many tokens have ended.
  ctx.expel(principal => {
    if (isMeant(principal)) owners.set(ownerOf(principal), principal)
    return false
  })
  for (const [owner, { id, tenant, via }] of owners) {
    const { sessions, requests } = ctx.expel(principal => isMeant(principal) && ownerOf(principal) === owner)
    // What was ended at an earlier look may still be on its way out.
    if (sessions + requests === 0) continue
    const detail = { issuer: via.issuer ?? '', sessions, requests }
    ctx
      .find(Recording)
      ?.event({ type: 'token.end', detail, about: { tenant, id, detail: { principal: id, tenant } } })
      .catch((error: unknown) => ctx.log.warn('the end of what was open under a token cannot be recorded', { error: String(error) }))
  }
}

function ownerOf({ id, tenant, via }: Principal): string {
  return JSON.stringify([tenant, id, via.issuer])
}
