//! The table of signatures as a page of the documentation.

use crate::signature::{SIGNATURES, Signature};

/// `docs/signatures.md`: every row of the table, in its order.
pub fn signatures_markdown() -> String {
    let mut page = String::from(
        "# Signatures\n\nGenerated from `crates/core/src/signature/table.rs`; do not edit. The first row whose words stand in a \
         line, compared case-sensitively, names its entry.\n\n| words | family | a match by itself | unless | printed by \
         | a line |\n|---|---|---|---|---|---|\n",
    );
    for row in SIGNATURES {
        let Signature { needle, kind, meaning, example, source, .. } = row;
        let (ke, meaning, unless) = (kind.ke(), meaning.word(), exceptions(row));
        let line = example.replace('|', "\\|").replace('\n', " ⏎ ");
        page.push_str(&format!("| `{needle}` | {ke} | {meaning} | {unless} | {source} | `` {line} `` |\n"));
    }
    page
}

fn exceptions(row: &Signature) -> String {
    let rules = row.rules.iter().map(|rule| {
        let any: Vec<String> = rule.any.iter().map(|word| format!("`{word}`")).collect();
        format!("{} with {}", rule.meaning.word(), any.join(" or "))
    });
    rules.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_docs_is_this_one() {
        let page = include_str!("../../../docs/signatures.md");
        assert_eq!(page, signatures_markdown(), "run `npm run build`, which writes it");
    }
}
