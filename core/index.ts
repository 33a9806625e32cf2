// `mcpgw`: the gateway as a library. Written out by hand and kept small: what stands here is kept, what does not may change.

export type { OpenGateway, OpenOptions, OpenResult } from './commands/open-gateway.ts'
export { openGateway } from './commands/open-gateway.ts'
export type { Diagnostic, DiagnosticCode } from './config/diagnostic.ts'
export type { Loaded, LoadOptions, LoadResult, SecretsPlace, Unenforced } from './config/load.ts'
export { builtInPlugins, loadConfig } from './config/load.ts'
export { renderDiagnostics } from './config/render.ts'
export type {
  ChildServer,
  ConfiguredServer,
  GatewayConfig,
  InnerServer,
  LimitsConfig,
  ListenConfig,
  LogLevel,
  PluginEntry,
  RemoteServer,
  SecretsConfig,
  ServerConfig,
  ServerLimits,
  ServerTimeouts,
  SourcePosition,
} from './config/schema.ts'
export type { ErrorCode, ErrorEntry } from './errors.ts'
export { errors, isErrorCode } from './errors.ts'
export type { Finding, FindingCode } from './finding.ts'
export type { Gateway } from './gateway.ts'
export type { BootReport, Kernel, StopReport } from './kernel.ts'
export { renderReport } from './kernel.ts'
export type { LogOptions, RootLog } from './log.ts'
export { createLog } from './log.ts'
export type { SecretFault, SecretOptions, SecretStore } from './secrets.ts'
export { createSecretStore } from './secrets.ts'
