//! Removes from the client what no browser needs.

use walrus::{Module, passes};

/// Leptos brings the streams of `wasm-streams` along. Their classes are exported to JavaScript, and
/// so kept with all that they call, although nothing here uses streams.
const UNUSED: &str = "intounderlying";

/// Removes what is only reached through exports that nothing calls. The script still has a class
/// for each, which finds nothing to call.
pub fn wasm(module: &mut Module) {
    let unused = module
        .exports
        .iter()
        .filter(|export| export.name.contains(UNUSED));
    for export in unused.map(walrus::Export::id).collect::<Vec<_>>() {
        module.exports.delete(export);
    }
    passes::gc::run(module);
}

/// Removes indentation, and comments that begin their line. In what `wasm-bindgen` writes, neither
/// has a meaning.
pub fn script(whole: &str) -> String {
    let mut comment = false;
    let lines = whole.lines().map(str::trim_start).filter(|line| {
        let before = comment;
        comment = (comment || line.starts_with("/*")) && !line.ends_with("*/");
        !(before || line.starts_with("/*") || line.starts_with("//") || line.is_empty())
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::script;

    #[test]
    fn a_script_loses_its_comments_and_its_indentation() {
        let whole = "/**\n * What it does.\n */\nfunction f() {\n    // why\n    return 1 /* one */;\n}\n\n/* so */\nf();\n";
        assert_eq!(
            script(whole),
            "function f() {\nreturn 1 /* one */;\n}\nf();\n"
        );
    }
}
