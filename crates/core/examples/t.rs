use crypto_diag_core::redact;
fn main(){ for l in std::io::stdin().lines(){ let l=l.unwrap(); println!("{}", redact::redact(&l.replace("\\n","\n")).text); } }
