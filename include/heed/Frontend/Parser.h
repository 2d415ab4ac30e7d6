//===- Parser.h - program text to a syntax tree ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The grammar, in EBNF. Blanks and `//` comments may stand between any tokens.
// Declarations and statements end with their line or with `;`; within one, line
// breaks mean nothing.
//
//   file        = { declaration } ;
//   declaration = use | sizes | consts | weights | per-layer | function
//               | assertion ;
//   use         = "use" NAME ;
//   sizes       = "size" size { "," size } ;
//   size        = NAME [ "=" expr | "<=" expr ] ;
//   consts      = "const" NAME "=" expr { "," NAME "=" expr } ;
//   weights     = "weight" NAME { "," NAME } ":" shape
//                 [ "=" STRING [ "else" ( NAME | STRING ) ] ] ;
//   per-layer   = "per" "layer" NAME [ "in" expr ] "{" { weights } "}" ;
//   function    = "fn" NAME "(" [ param { "," param } ] ")" [ "->" type ] block ;
//   param       = NAME [ ":" type ] ;
//   type        = [ "int" | "float" ] shape | "int" | "float" ;
//   shape       = "[" expr { "," expr } "]" ;
//   assertion   = "assert" sum ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ;
//
//   block       = "{" { statement } "}" ;
//   statement   = assign | for | if | return ;
//   assign      = NAME [ "[" bindings "]" ] ( "=" | "+=" ) expr ;
//   bindings    = binding { "," binding } ;
//   binding     = NAME [ "<" sum ] ;
//   for         = "for" NAME "in" expr block ;
//   if          = "if" expr block [ "else" ( block | if ) ] ;
//   return      = "return" expr ;
//
//   expr        = "if" expr "then" expr "else" expr | or ;
//   or          = and { "||" and } ;
//   and         = comparison { "&&" comparison } ;
//   comparison  = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ] ;
//   sum         = product { ( "+" | "-" ) product } ;
//   product     = unary { ( "*" | "/" | "%" ) unary } ;
//   unary       = ( "-" | "!" ) unary | reduction | power ;
//   reduction   = ( "sum" | "max" | "min" | "softmax" ) "[" bindings "]"
//                 product [ "where" or ] [ "with" sum ] ;
//   power       = postfix [ "**" unary ] ;
//   postfix     = primary { "[" expr { "," expr } "]" } ;
//   primary     = NUMBER [ unit ] | STRING | "inf" | NAME | "(" expr ")"
//               | ( NAME | "int" | "float" | "max" | "min" ) arguments [ "else" or ] ;
//   unit        = "K" | "M" | "G" | "KiB" | "MiB" | "GiB" ;
//   arguments   = "(" [ expr { "," expr } ] ")" ;
//
// `else` after arguments belongs to `meta` alone, `with` to `softmax`, and units
// to assertions. A parameter or result without a type is a number.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_FRONTEND_PARSER_H
#define HEED_FRONTEND_PARSER_H

#include "heed/Frontend/AST.h"
#include "heed/Support/Diagnostics.h"

namespace heed {

/// Brackets and blocks nest no deeper than this, and no formula's tree is deeper.
inline constexpr uint32_t kDeepestNesting = 200;

/// A tensor has at most so many axes, and a reduction so many indices.
inline constexpr size_t kMostAxes = 32;

/// Parses a buffer. After an error the parser goes on with the next statement, so what comes back
/// holds all that could be read; look at the engine for errors.
ast::File parse(const SourceManager &sources, uint32_t file, DiagnosticEngine &diagnostics);

} // namespace heed

#endif // HEED_FRONTEND_PARSER_H
