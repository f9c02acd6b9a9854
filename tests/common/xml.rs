//! A reader of XML: elements opened and closed in order, attributes quoted, entities known.

/// The names of all elements, in order.
pub fn elements(text: &str) -> Result<Vec<String>, String> {
    let (mut names, mut open) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        entities(&rest[..at])?;
        rest = &rest[at..];
        let end = rest.find('>').ok_or("a tag does not end")?;
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('?') || tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            let last: Option<String> = open.pop();
            if last.as_deref() != Some(name.trim()) {
                return Err(format!("</{name}> closes {last:?}"));
            }
            continue;
        }
        let body = tag.trim_end_matches('/');
        let (name, attributes) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
        let parts: Vec<&str> = attributes.split('"').collect();
        let quoted = parts.len() % 2 == 1
            && parts.iter().step_by(2).take(parts.len() / 2).all(|p| p.trim().ends_with('='))
            && parts[parts.len() - 1].trim().is_empty();
        if !quoted {
            return Err(format!("attributes of <{tag}>"));
        }
        entities(attributes)?;
        names.push(name.to_owned());
        if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
    }
    if open.is_empty() && rest.trim().is_empty() { Ok(names) } else { Err(format!("{open:?} stay open")) }
}

fn entities(text: &str) -> Result<(), String> {
    let known = ["amp;", "lt;", "gt;", "quot;", "apos;", "#"];
    match text.split('&').skip(1).find(|after| !known.iter().any(|k| after.starts_with(k))) {
        Some(after) => Err(format!("&{after}")),
        None => Ok(()),
    }
}
