// The syntax tree of a condition, as the CEL package gives it; everything else of ours takes it from here.
export type { ASTNode as CelNode } from 'cel-js'
