//! Removes from the client what no browser needs.

use walrus::{Module, passes};

/// Leptos brings the streams of `wasm-streams` along. Their classes are exported to JavaScript, and
/// so kept with all that they call, although nothing here uses streams.
const UNUSED: &str = "intounderlying";

/// Removes what is only reached through exports that nothing calls. The script still has a class
/// for each, which finds nothing to call.
///
/// Then gives the functions that the module imports from the script short names, and returns the
/// long ones, for [`script`] to do the same.
pub fn wasm(module: &mut Module) -> Vec<String> {
    let unused = module
        .exports
        .iter()
        .filter(|export| export.name.contains(UNUSED));
    for export in unused.map(walrus::Export::id).collect::<Vec<_>>() {
        module.exports.delete(export);
    }
    passes::gc::run(module);
    let mut long = Vec::new();
    for import in module.imports.iter_mut() {
        if is_hashed(&import.name) {
            long.push(import.name.clone());
            import.name = short_name(long.len());
        }
    }
    long
}

/// Whether the name ends in a hash, by which `wasm-bindgen` keeps names of several crates apart. No
/// compression makes the hashes any smaller, and each stands in the module and in the script.
fn is_hashed(name: &str) -> bool {
    name.starts_with("__wbg_")
        && name.rsplit_once('_').is_some_and(|(_, hash)| {
            hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

fn short_name(number: usize) -> String {
    format!("__wbg_{number}")
}

/// Removes indentation, and comments that begin their line. In what `wasm-bindgen` writes, neither
/// has a meaning. The functions with `long` names get those that the module imports.
pub fn script(whole: &str, long: &[String]) -> String {
    let mut comment = false;
    let lines = whole.lines().map(str::trim_start).filter(|line| {
        let before = comment;
        comment = (comment || line.starts_with("/*")) && !line.ends_with("*/");
        !(before || line.starts_with("/*") || line.starts_with("//") || line.is_empty())
    });
    let mut script: String = lines.flat_map(|line| [line, "\n"]).collect();
    for (name, number) in long.iter().zip(1..) {
        script = script.replace(name, &short_name(number));
    }
    script
}

#[cfg(test)]
mod tests {
    use super::{is_hashed, script};

    #[test]
    fn a_script_loses_its_comments_and_its_indentation() {
        let whole = "/**\n * What it does.\n */\nfunction f() {\n    // why\n    return 1 /* one */;\n}\n\n/* so */\nf();\n";
        assert_eq!(
            script(whole, &[]),
            "function f() {\nreturn 1 /* one */;\n}\nf();\n"
        );
    }

    #[test]
    fn a_name_with_a_hash_becomes_short() {
        let long = ["__wbg_get_d7176cfb76d71114", "__wbg_now_043d245551b22f9c"];
        assert!(long.into_iter().all(is_hashed));
        assert!(!is_hashed("__wbindgen_init_externref_table"));
        assert!(!is_hashed("__wbindgen_generic_0000000000000001"));
        let whole = "__wbg_now_043d245551b22f9c: function() {}\n__wbg_get_d7176cfb76d71114: x,\n";
        assert_eq!(
            script(whole, &long.map(str::to_owned)),
            "__wbg_2: function() {}\n__wbg_1: x,\n"
        );
    }
}
