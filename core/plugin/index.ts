// `mcpgw/plugin`: everything a plugin may import. Types and a few constructors; no dependency at run time.

export { type AddressRanges, innerAddress, networkOf, readAddress, readRanges } from './addresses.ts'
export type { ApartIo, ApartJob, ApartWork } from './apart.ts'
export { canonicalText } from './canonical.ts'
export type { Command, CommandIo, ConfiguredCommand, StandaloneCommand, StandaloneIo } from './command.ts'
export type { TellCondition } from './conditions.ts'
export { createConditions } from './conditions.ts'
export { type DurationForm, type DurationUnit, readDuration, writeDuration } from './duration.ts'
export type {
  Answer,
  Decision,
  Exchange,
  Governed,
  Obligation,
  Outcome,
  Peer,
  PeerCertificate,
  PeerRequest,
  Principal,
  Rate,
  Resource,
} from './exchange.ts'
export { nameOf } from './exchange.ts'
export type { ExplainedCode } from './explained-code.ts'
export { type FileOwnership, mayOthersRead, mayOthersWrite, modeText, strangerOf } from './file-mode.ts'
export { compileGlob } from './glob.ts'
export type { Clock, Log, Metrics } from './host.ts'
export type { InspectedItem, InspectedServer, Inspection, InspectOptions } from './inspection.ts'
export type { JsonArray, JsonObject, JsonValue, Payload } from './json.ts'
export { ExactNumber } from './json.ts'
export type { Asker, DescribedSchema, Operation, OperationAnswer } from './operation.ts'
export { defineOperation, refuseOtherTenant } from './operation.ts'
export type { DurableOutcome, OutcomePage, ReadSoFar, RecordReader, RecordReaderIo, UsageRow } from './outcomes.ts'
export { Outcomes, Usage } from './outcomes.ts'
export type { Outgoing, OutgoingAnswer, OutgoingRequest } from './outgoing.ts'
export { type OwnFile, type OwnFileForm, readOwnFile } from './own-file.ts'
export type { Erased, Person, PersonalData, PersonalHolder, PersonalIo } from './personal.ts'
export type {
  Awaitable,
  Capability,
  DischargeStage,
  GatewayFacts,
  Hooks,
  ListItem,
  Notification,
  Plugin,
  PluginContext,
  ServerChange,
} from './plugin.ts'
export { definePlugin } from './plugin.ts'
export type { CsvCell } from './print.ts'
export { alignColumns, printable, writeCsvRow } from './print.ts'
export type { Refused } from './refused.ts'
export type {
  StandardIssue,
  StandardResult,
  StandardSchemaV1,
} from './schema.ts'
export type { AdminEvent, DetectedSpan, Operator, Service, TextDetector } from './service.ts'
export { DecisionBasis, Detectors, Directory, Masking, Recording, service } from './service.ts'
export type {
  Append,
  Database,
  GroupWriter,
  Migrations,
  OpenOptions,
  Postgres,
  Redis,
  RedisReply,
  RedisState,
  SqlRow,
  SqlValue,
  Statement,
  Stores,
} from './store.ts'
export { suggest } from './suggest.ts'
export { createTurns, type Turns } from './turns.ts'
export type {
  Allow,
  AnswerVerdict,
  ConnectionVerdict,
  Deny,
  DischargeVerdict,
  Drop,
  Identify,
  ListVerdict,
  Narrow,
  NotificationVerdict,
  Pass,
  RequestVerdict,
  ResponseVerdict,
  Rewrite,
  SealedVerdict,
} from './verdict.ts'
export {
  allow,
  answer,
  deny,
  drop,
  identify,
  narrow,
  pass,
  rewrite,
} from './verdict.ts'
