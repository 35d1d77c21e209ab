/**
 * The words of the page. Each language is one file of `words/`; a new one needs that file and a line here.
 * `t("playground.cells", { n: 3 })` puts the number in for `{n}`, and takes `cells_one` or `cells_other` where the
 * language has both.
 */
import de from "../words/de.json";
import en from "../words/en.json";
import { recall, remember } from "./remember";

type Words = Record<string, Record<string, string>>;

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const dictionaries: Record<Language, Words> = { en, de };

function first(): Language {
  const wanted = [recall("language"), ...navigator.languages].map((tag) => tag?.slice(0, 2));
  return (wanted.find((tag) => tag && tag in LANGUAGES) as Language | undefined) ?? "en";
}

export const spoken = $state({ language: first() });

export function speak(language: Language): void {
  spoken.language = language;
  remember("language", language);
  document.documentElement.lang = language;
}

/** The words of a key, or the key itself where there are none, so that a missing one is seen. */
export function t(key: string, put: Record<string, string | number> = {}): string {
  const text = look(spoken.language, key, put.n) ?? look("en", key, put.n) ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = put[name];
    return value === undefined ? whole : typeof value === "number" ? count(value) : value;
  });
}

function look(language: Language, key: string, n: string | number | undefined): string | undefined {
  const [room = "", name = ""] = key.split(/\.(.*)/s);
  const found = dictionaries[language][room] ?? {};
  const plural = typeof n === "number" ? `${name}_${new Intl.PluralRules(language).select(n)}` : name;
  return found[plural] ?? found[name] ?? found[`${name}_other`];
}

/** A number as people of the language write it: a whole one with all its digits, another with four. */
export function count(value: number, digits = 4): string {
  const options = Number.isInteger(value) ? {} : { maximumSignificantDigits: digits };
  return new Intl.NumberFormat(spoken.language, options).format(value).replace("-", "−");
}

export function percent(share: number, digits = 1): string {
  const options = { style: "percent", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(spoken.language, options).format(share).replace("-", "−");
}
